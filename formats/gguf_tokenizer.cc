#include "formats/gguf_tokenizer.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "formats/gguf_split.h"
#include "formats/gguf_token_types.h"

namespace plumb {
namespace {

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
    for (const char* key : kGgufEndKeys) {
      std::int32_t id = -1;
      PLUMB_TRY(load_id(key, id));
      if (id >= 0 && id != data_.eos_id && std::ranges::find(data_.end_ids, id) == data_.end_ids.end()) {
        data_.end_ids.push_back(id);
      }
    }
    PLUMB_TRY(load_surroundings());
    drop_fillers();
    return std::move(data_);
  }

 private:
  Result<void> load_split() {
    std::string name = "gpt-2";
    PLUMB_TRY(set_if_present("tokenizer.ggml.pre", name));
    if (name.empty()) {
      return Error{file_.name() + ": tokenizer.ggml.pre is empty; it must name how text is split"};
    }
    set_gguf_split(name, data_);
    return {};
  }

  Result<void> load_surroundings() {
    bool adds_bos = gguf_adds_bos(data_);
    bool adds_eos = false;
    PLUMB_TRY(set_if_present("tokenizer.ggml.add_bos_token", adds_bos));
    PLUMB_TRY(set_if_present("tokenizer.ggml.add_eos_token", adds_eos));
    if (adds_bos && data_.bos_id >= 0) {
      data_.prefix_ids = {data_.bos_id};
    }
    if (adds_eos && data_.eos_id >= 0) {
      data_.suffix_ids = {data_.eos_id};
    }
    return {};
  }

  template <typename T>
  Result<void> set_if_present(const std::string& key, T& target) {
    if (file_.has(key)) {
      PLUMB_ASSIGN(target, file_.get<T>(key));
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
      data_.kinds.push_back(type == kGgufControl       ? TokenKind::kSpecial
                            : type == kGgufUserDefined ? TokenKind::kAdded
                            : type == kGgufFiller      ? TokenKind::kUnused
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
    std::int64_t value = -1;
    PLUMB_TRY(set_if_present(key, value));
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
      if (data_.kinds[id] == TokenKind::kUnused && data_.tokens[id] == gguf_filler_name(id) &&
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

}  // namespace

Result<TokenizerData> read_gguf_tokenizer(const GgufFile& file) {
  return Reader(file).run();
}

}  // namespace plumb
