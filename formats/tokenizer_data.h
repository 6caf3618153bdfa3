#pragma once
// A byte-level BPE tokenizer as data, whatever file it came from. What to do with it is tokenizer/'s matter.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace plumb {

/// kNormal: made by merges. kSpecial: matched in the text before anything else, and left out of decoded text.
/// kAdded: matched like kSpecial, but part of decoded text. kUnused: a filler that no text encodes to.
enum class TokenKind : std::uint8_t { kNormal, kSpecial, kAdded, kUnused };

/// Vocabulary, merges and rules. Normal tokens are spelled in the byte-level alphabet (a space is U+0120 and so on),
/// special and added ones as they stand in the text.
struct TokenizerData {
  std::string pre_tokenizer;                                // "gpt2", "smollm", or the name of one not known here
  std::vector<std::string> tokens;                          // [V] by id
  std::vector<TokenKind> kinds;                             // [V]
  std::vector<std::pair<std::string, std::string>> merges;  // by falling priority
  std::int32_t bos_id = -1;                                 // -1: the model has none
  std::int32_t eos_id = -1;
  std::int32_t pad_id = -1;
  std::int32_t unk_id = -1;  // only named in special_tokens_map.json: bytes outside the vocabulary are dropped
};

}  // namespace plumb
