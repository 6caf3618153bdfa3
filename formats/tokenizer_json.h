#pragma once
// Hugging Face's tokenizer.json and its companions, for BPE, byte-level or with byte fallback.

#include <string>
#include <string_view>

#include "core/result.h"
#include "formats/tokenizer_data.h"

namespace plumb {

/// The tokenizer in `text`; `name` is for messages. bos_id, eos_id, pad_id and unk_id are left at -1: they stand in
/// tokenizer_config.json. Errors: no JSON object; a normalizer, pre-tokenizer, decoder, post-processor or model option
/// that is not supported, by name; a vocabulary whose ids repeat or reach beyond 2^24; malformed merges.
Result<TokenizerData> parse_tokenizer_json(std::string_view text, const std::string& name);

/// Adds what the "eos_token_id" of a config.json or generation_config.json names, a number or a list, to `end_ids`;
/// eos_id itself is not repeated. Errors: no JSON object, another type.
Result<void> add_end_ids(std::string_view text, const std::string& name, TokenizerData& tokenizer);

/// What tokenizer_config.json says: sets the special ids in `tokenizer` and returns the chat template, empty if there
/// is none. Errors: no JSON object; a special token that the vocabulary lacks.
Result<std::string> parse_tokenizer_config_json(std::string_view text, const std::string& name,
                                                TokenizerData& tokenizer);

/// The texts of the three files that transformers' AutoTokenizer reads.
struct TokenizerFiles {
  std::string tokenizer_json;
  std::string tokenizer_config_json;
  std::string special_tokens_map_json;
};

/// A tokenizer that was read from a tokenizer.json is written as it was read. Errors: one that came from elsewhere with
/// a pre-tokenizer other than "gpt2" and "smollm"; text that is no UTF-8.
Result<TokenizerFiles> make_tokenizer_files(const TokenizerData& tokenizer, const std::string& chat_template,
                                            std::int64_t max_positions);

}  // namespace plumb
