#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/gguf_split.h"
#include "formats/gguf_token_types.h"
#include "formats/gguf_tokenizer.h"

namespace plumb {
namespace {

bool is_hole(const TokenizerData& data, std::size_t id) {
  return id >= data.tokens.size() || (data.kinds[id] == TokenKind::kUnused && data.tokens[id].empty());
}

// llama.cpp aborts where two tokens have one text.
Result<void> check_fillers(const TokenizerData& data, std::int64_t vocab_size) {
  const std::set<std::string_view> texts(data.tokens.begin(), data.tokens.end());
  for (std::size_t id = 0; id < static_cast<std::size_t>(vocab_size); ++id) {
    if (is_hole(data, id) && texts.contains(gguf_filler_name(id))) {
      return Error{"no token has the id " + std::to_string(id) + ", which GGUF calls " + gguf_filler_name(id) +
                   ", but another token has that text"};
    }
  }
  return {};
}

Result<void> check_added_tokens(const TokenizerData& data) {
  for (const AddedToken& token : data.added_tokens) {
    const char* option = token.single_word ? "single_word"
                         : token.lstrip    ? "lstrip"
                         : token.rstrip    ? "rstrip"
                                           : nullptr;
    if (option != nullptr) {
      return Error{"the added token \"" + token.text + "\" has the option " + option + ", for which GGUF has no place"};
    }
  }
  return {};
}

// What a text is put between.
Result<void> check_surroundings(const TokenizerData& data) {
  const auto is_none_or = [](const std::vector<std::int32_t>& ids, std::int32_t id) {
    return ids.empty() || (ids.size() == 1 && ids[0] == id);
  };
  if (!is_none_or(data.prefix_ids, data.bos_id) || !is_none_or(data.suffix_ids, data.eos_id)) {
    return Error{"its post_processor puts other tokens around a text than bos_token in front and eos_token behind"};
  }
  return {};
}

Result<void> check_properties(const TokenizerData& data, std::int64_t vocab_size) {
  if (!data.byte_level || data.byte_fallback) {
    return Error{"it is no byte-level BPE"};
  }
  if (const auto name = gguf_split_name(data); !name) {
    return name.error();
  }
  if (data.end_ids.size() > kGgufEndKeys.size()) {
    return Error{std::to_string(data.end_ids.size() + 1) + " tokens end a completion, and GGUF names " +
                 std::to_string(kGgufEndKeys.size() + 1)};
  }
  PLUMB_TRY(check_added_tokens(data));
  PLUMB_TRY(check_surroundings(data));
  return check_fillers(data, vocab_size);
}

}  // namespace

Result<void> check_gguf_tokenizer(const TokenizerData& tokenizer, std::int64_t vocab_size) {
  const auto checked = check_properties(tokenizer, vocab_size);
  return checked ? checked
                 : Error{"the model's tokenizer cannot be written as GGUF: " + checked.error().message +
                         "; write a Hugging Face folder"};
}

void add_gguf_tokenizer(GgufMetadata& to, const TokenizerData& tokenizer, std::int64_t vocab_size) {
  std::vector<std::string> tokens = tokenizer.tokens;
  tokens.resize(std::max(tokens.size(), static_cast<std::size_t>(vocab_size)));
  std::vector<std::int32_t> types;
  for (std::size_t id = 0; id < tokens.size(); ++id) {
    const TokenKind kind = id < tokenizer.kinds.size() ? tokenizer.kinds[id] : TokenKind::kUnused;
    types.push_back(kind == TokenKind::kSpecial  ? kGgufControl
                    : kind == TokenKind::kAdded  ? kGgufUserDefined
                    : kind == TokenKind::kUnused ? kGgufFiller
                                                 : kGgufPlain);
    if (is_hole(tokenizer, id)) {
      tokens[id] = gguf_filler_name(id);
    }
  }
  std::vector<std::string> merges;
  for (const auto& [left, right] : tokenizer.merges) {
    merges.push_back(left + " " + right);
  }
  to.text("tokenizer.ggml.model", "gpt2");
  to.text("tokenizer.ggml.pre", gguf_split_name(tokenizer).value());
  to.texts("tokenizer.ggml.tokens", tokens);
  to.integers("tokenizer.ggml.token_type", types);
  to.texts("tokenizer.ggml.merges", merges);
  for (const auto& [key, id] : {std::pair{"bos", tokenizer.bos_id}, std::pair{"eos", tokenizer.eos_id},
                                std::pair{"padding", tokenizer.pad_id}, std::pair{"unknown", tokenizer.unk_id}}) {
    if (id >= 0) {
      to.number("tokenizer.ggml." + std::string(key) + "_token_id", id);
    }
  }
  for (std::size_t i = 0; i < tokenizer.end_ids.size(); ++i) {
    to.number(kGgufEndKeys[i], tokenizer.end_ids[i]);
  }
  to.flag("tokenizer.ggml.add_bos_token", !tokenizer.prefix_ids.empty());
  to.flag("tokenizer.ggml.add_eos_token", !tokenizer.suffix_ids.empty());
}

}  // namespace plumb
