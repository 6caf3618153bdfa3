#include "formats/gguf_tokenizer.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace plumb {
namespace {

// Token types in the file.
constexpr std::int32_t kPlain = 1;
constexpr std::int32_t kControl = 3;
constexpr std::int32_t kUserDefined = 4;
constexpr std::int32_t kFiller = 5;

std::string filler_name(std::size_t id) {
  return "[PAD" + std::to_string(id) + "]";
}

class Reader {
 public:
  explicit Reader(const GgufFile& file) : file_(file) {}

  Result<TokenizerData> run() {
    PLUMB_ASSIGN(const auto model, file_.get<std::string>("tokenizer.ggml.model"));
    if (model != "gpt2") {
      return Error{file_.name() + ": the tokenizer model \"" + model +
                   "\" is not supported; \"gpt2\" (byte-level BPE) is"};
    }
    PLUMB_TRY(load_split());
    PLUMB_ASSIGN(data_.tokens, file_.get<std::vector<std::string>>("tokenizer.ggml.tokens"));
    PLUMB_TRY(load_kinds());
    PLUMB_TRY(load_merges());
    PLUMB_TRY(load_id("tokenizer.ggml.bos_token_id", data_.bos_id));
    PLUMB_TRY(load_id("tokenizer.ggml.eos_token_id", data_.eos_id));
    PLUMB_TRY(load_id("tokenizer.ggml.padding_token_id", data_.pad_id));
    PLUMB_TRY(load_id("tokenizer.ggml.unknown_token_id", data_.unk_id));
    drop_fillers();
    return std::move(data_);
  }

 private:
  Result<void> load_split() {
    data_.pre_tokenizer = "gpt2";
    if (file_.has("tokenizer.ggml.pre")) {
      PLUMB_ASSIGN(data_.pre_tokenizer, file_.get<std::string>("tokenizer.ggml.pre"));
    }
    if (data_.pre_tokenizer.empty()) {
      return Error{file_.name() + ": tokenizer.ggml.pre is empty; it must name how text is split"};
    }
    if (data_.pre_tokenizer == "gpt-2") {
      data_.pre_tokenizer = "gpt2";
    }
    return {};
  }

  Result<void> load_kinds() {
    PLUMB_ASSIGN(const auto types, file_.get<std::vector<std::int64_t>>("tokenizer.ggml.token_type"));
    if (types.size() != data_.tokens.size()) {
      return Error{file_.name() + ": tokenizer.ggml.token_type has " + std::to_string(types.size()) + " entries for " +
                   std::to_string(data_.tokens.size()) + " tokens"};
    }
    for (const std::int64_t type : types) {
      data_.kinds.push_back(type == kControl       ? TokenKind::kSpecial
                            : type == kUserDefined ? TokenKind::kAdded
                            : type == kFiller      ? TokenKind::kUnused
                                                   : TokenKind::kNormal);
    }
    return {};
  }

  Result<void> load_merges() {
    PLUMB_ASSIGN(const auto merges, file_.get<std::vector<std::string>>("tokenizer.ggml.merges"));
    for (const std::string& merge : merges) {
      const std::size_t space = merge.find(' ');
      if (space == std::string::npos) {
        return Error{file_.name() + ": a merge in tokenizer.ggml.merges is no pair of tokens"};
      }
      data_.merges.emplace_back(merge.substr(0, space), merge.substr(space + 1));
    }
    return {};
  }

  Result<void> load_id(const std::string& key, std::int32_t& id) {
    if (!file_.has(key)) {
      return {};
    }
    PLUMB_ASSIGN(const auto value, file_.get<std::int64_t>(key));
    if (value < -1 || value >= static_cast<std::int64_t>(data_.tokens.size())) {
      return Error{file_.name() + ": " + key + " is " + std::to_string(value) + ", but the vocabulary has " +
                   std::to_string(data_.tokens.size()) + " tokens"};
    }
    id = static_cast<std::int32_t>(value);
    return {};
  }

  // As tokenizer.json has it: ids that no token has. One that a special id names is a token all the same.
  void drop_fillers() {
    const std::set<std::int32_t> named = {data_.bos_id, data_.eos_id, data_.pad_id, data_.unk_id};
    for (std::size_t id = 0; id < data_.tokens.size(); ++id) {
      if (data_.kinds[id] == TokenKind::kUnused && data_.tokens[id] == filler_name(id) &&
          !named.contains(static_cast<std::int32_t>(id))) {
        data_.tokens[id].clear();
      }
    }
    while (!data_.tokens.empty() && data_.kinds.back() == TokenKind::kUnused && data_.tokens.back().empty()) {
      data_.tokens.pop_back();
      data_.kinds.pop_back();
    }
  }

  const GgufFile& file_;
  TokenizerData data_;
};

bool is_hole(const TokenizerData& data, std::size_t id) {
  return id >= data.tokens.size() || (data.kinds[id] == TokenKind::kUnused && data.tokens[id].empty());
}

// llama.cpp aborts where two tokens have one text.
Result<void> check_fillers(const TokenizerData& data, std::int64_t vocab_size) {
  const std::set<std::string_view> texts(data.tokens.begin(), data.tokens.end());
  for (std::size_t id = 0; id < static_cast<std::size_t>(vocab_size); ++id) {
    if (is_hole(data, id) && texts.contains(filler_name(id))) {
      return Error{"no token has the id " + std::to_string(id) + ", which GGUF calls " + filler_name(id) +
                   ", but another token has that text"};
    }
  }
  return {};
}

const char* kind_name(NormalizerStep::Kind kind) {
  using Kind = NormalizerStep::Kind;
  switch (kind) {
    case Kind::kPrepend:
      return "Prepend";
    case Kind::kReplace:
    case Kind::kReplaceRegex:
      return "Replace";
    case Kind::kNfc:
      return "NFC";
    case Kind::kNfd:
      return "NFD";
    case Kind::kNfkc:
      return "NFKC";
    case Kind::kNfkd:
      return "NFKD";
    case Kind::kLowercase:
      return "Lowercase";
    case Kind::kStrip:
      return "Strip";
  }
  return "";
}

std::string normalizer_names(const TokenizerData& data) {
  std::string names;
  for (const NormalizerStep& step : data.normalizer) {
    names += (names.empty() ? "" : ", ") + std::string(kind_name(step.kind));
  }
  return names.empty() ? "none" : names;
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

Result<void> check_split(const TokenizerData& data) {
  if (data.pre_tokenizer.empty()) {
    return Error{"its pre_tokenizer is none that llama.cpp has a name for"};
  }
  if (data.ignore_merges) {
    return Error{"it has ignore_merges, which llama.cpp's pre-tokenizer \"" + data.pre_tokenizer + "\" has not"};
  }
  if (!data.normalizer.empty()) {
    return Error{"its normalizer is " + normalizer_names(data) + ", but that of llama.cpp's pre-tokenizer \"" +
                 data.pre_tokenizer + "\" none"};
  }
  return {};
}

Result<void> check_properties(const TokenizerData& data, std::int64_t vocab_size) {
  if (!data.byte_level || data.byte_fallback) {
    return Error{"it is no byte-level BPE"};
  }
  PLUMB_TRY(check_split(data));
  PLUMB_TRY(check_added_tokens(data));
  return check_fillers(data, vocab_size);
}

}  // namespace

Result<TokenizerData> read_gguf_tokenizer(const GgufFile& file) {
  return Reader(file).run();
}

Result<void> check_gguf_tokenizer(const TokenizerData& tokenizer, std::int64_t vocab_size) {
  const auto checked = check_properties(tokenizer, vocab_size);
  return checked ? checked
                 : Error{"the model's tokenizer cannot be written as GGUF: " + checked.error().message +
                         "; write a Hugging Face folder"};
}

void add_gguf_tokenizer(GgufMetadata& to, const TokenizerData& tokenizer, std::int64_t vocab_size) {
  std::vector<std::string> tokens = tokenizer.tokens;
  tokens.resize(static_cast<std::size_t>(vocab_size));
  std::vector<std::int32_t> types;
  for (std::size_t id = 0; id < tokens.size(); ++id) {
    const TokenKind kind = id < tokenizer.kinds.size() ? tokenizer.kinds[id] : TokenKind::kUnused;
    types.push_back(kind == TokenKind::kSpecial  ? kControl
                    : kind == TokenKind::kAdded  ? kUserDefined
                    : kind == TokenKind::kUnused ? kFiller
                                                 : kPlain);
    if (is_hole(tokenizer, id)) {
      tokens[id] = filler_name(id);
    }
  }
  std::vector<std::string> merges;
  for (const auto& [left, right] : tokenizer.merges) {
    merges.push_back(left + " " + right);
  }
  to.text("tokenizer.ggml.model", "gpt2");
  to.text("tokenizer.ggml.pre", tokenizer.pre_tokenizer == "gpt2" ? "gpt-2" : tokenizer.pre_tokenizer);
  to.texts("tokenizer.ggml.tokens", tokens);
  to.integers("tokenizer.ggml.token_type", types);
  to.texts("tokenizer.ggml.merges", merges);
  for (const auto& [key, id] : {std::pair{"bos", tokenizer.bos_id}, std::pair{"eos", tokenizer.eos_id},
                                std::pair{"padding", tokenizer.pad_id}, std::pair{"unknown", tokenizer.unk_id}}) {
    if (id >= 0) {
      to.number("tokenizer.ggml." + std::string(key) + "_token_id", id);
    }
  }
}

}  // namespace plumb
