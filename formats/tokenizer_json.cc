#include "formats/tokenizer_json.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "formats/json_access.h"
#include "formats/tokenizer_steps_json.h"

namespace plumb {
namespace {

using nlohmann::json;

constexpr std::int64_t kMaxId = std::int64_t{1} << 24;

Result<void> read_model_options(const json& model, TokenizerData& data) {
  if (!model.is_object() || (get(model, "type") != "BPE" && !get(model, "type").is_null())) {
    return Error{"the model must be of type BPE"};
  }
  for (const char* option : {"dropout", "continuing_subword_prefix", "end_of_word_suffix"}) {
    const json& value = get(model, option);
    if (!value.is_null() && value != "" && value != 0) {
      return Error{std::string("the model option ") + option + " = " + show(value) + " is not supported"};
    }
  }
  for (const auto& [option, field] :
       {std::pair{"byte_fallback", &data.byte_fallback}, std::pair{"ignore_merges", &data.ignore_merges},
        std::pair{"fuse_unk", &data.fuse_unk}}) {
    const json& value = get(model, option);
    if (!value.is_null() && !value.is_boolean()) {
      return Error{std::string("the model option ") + option + " = " + show(value) + " must be true or false"};
    }
    *field = value == true;
  }
  return {};
}

Result<void> set_token(TokenizerData& data, const json& id_value, const std::string& text, TokenKind kind) {
  if (!id_value.is_number_unsigned() || id_value.get<std::uint64_t>() > static_cast<std::uint64_t>(kMaxId)) {
    return Error{"the token " + show(text) + " has the impossible id " + show(id_value)};
  }
  const auto id = id_value.get<std::size_t>();
  if (id >= data.tokens.size()) {
    data.tokens.resize(id + 1);
    data.kinds.resize(id + 1, TokenKind::kUnused);
  }
  if (data.kinds[id] != TokenKind::kUnused && data.tokens[id] != text) {
    return Error{"the id " + std::to_string(id) + " belongs to two tokens, " + show(data.tokens[id]) + " and " +
                 show(text)};
  }
  data.tokens[id] = text;
  data.kinds[id] = kind;
  return {};
}

Result<void> read_vocab(const json& vocab, TokenizerData& data) {
  if (!vocab.is_object()) {
    return Error{"model.vocab must be an object of tokens and ids"};
  }
  for (const auto& [text, id] : vocab.items()) {
    PLUMB_TRY(set_token(data, id, text, TokenKind::kNormal));
  }
  return {};
}

// Ids may have holes, but a file of a few bytes must not ask for millions of tokens.
Result<void> check_id_range(const json& vocab, const json& added) {
  const std::size_t count = vocab.size() + added.size();
  const std::size_t limit = 2 * count + 65536;
  std::uint64_t largest = 0;
  const auto look_at = [&](const json& id) {
    largest = id.is_number_unsigned() ? std::max(largest, id.get<std::uint64_t>()) : largest;
  };
  for (const json& id : vocab) {
    look_at(id);
  }
  for (const json& token : added) {
    look_at(get(token, "id"));
  }
  if (largest > limit && largest <= static_cast<std::uint64_t>(kMaxId)) {
    return Error{"the ids reach " + std::to_string(largest) + ", but there are only " + std::to_string(count) +
                 " tokens"};
  }
  return {};
}

Result<void> read_merges(const json& merges, TokenizerData& data) {
  if (!merges.is_array()) {
    return Error{"model.merges must be a list"};
  }
  for (const json& merge : merges) {
    if (merge.is_string()) {
      const auto& text = merge.get_ref<const std::string&>();
      const std::size_t space = text.find(' ');
      if (space != std::string::npos) {
        data.merges.emplace_back(text.substr(0, space), text.substr(space + 1));
        continue;
      }
    } else if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
      data.merges.emplace_back(merge[0].get<std::string>(), merge[1].get<std::string>());
      continue;
    }
    return Error{"the merge " + show(merge) + " is no pair of tokens"};
  }
  return {};
}

Result<void> read_added_tokens(const json& added, TokenizerData& data) {
  if (added.is_null()) {
    return {};
  }
  if (!added.is_array()) {
    return Error{"added_tokens must be a list"};
  }
  for (const json& token : added) {
    if (!token.is_object() || !get(token, "content").is_string() || get(token, "content") == "") {
      return Error{"the added token " + show(token) + " has no content"};
    }
    AddedToken read;
    read.text = token["content"].get<std::string>();
    read.special = get(token, "special") == true;
    read.single_word = get(token, "single_word") == true;
    read.lstrip = get(token, "lstrip") == true;
    read.rstrip = get(token, "rstrip") == true;
    read.normalized = get(token, "normalized") == true;
    PLUMB_TRY(set_token(data, get(token, "id"), read.text, read.special ? TokenKind::kSpecial : TokenKind::kAdded));
    read.id = token["id"].get<std::int32_t>();
    data.added_tokens.push_back(std::move(read));
  }
  return {};
}

Result<void> read_unknown(const json& model, TokenizerData& data) {
  const json& unknown = get(model, "unk_token");
  if (unknown.is_null() || unknown == "") {
    return {};
  }
  const json& id =
      unknown.is_string() ? get(get(model, "vocab"), unknown.get_ref<const std::string&>().c_str()) : unknown;
  if (!unknown.is_string() || id.is_null()) {
    return Error{"the model's unk_token " + show(unknown) + " is not in its vocabulary"};
  }
  data.model_unk_id = id.get<std::int32_t>();
  return {};
}

Result<void> read_tokenizer(const json& root, TokenizerData& data) {
  const json& model = get(root, "model");
  PLUMB_TRY(read_model_options(model, data));
  PLUMB_TRY(check_id_range(get(model, "vocab"), get(root, "added_tokens")));
  PLUMB_TRY(read_vocab(get(model, "vocab"), data));
  PLUMB_TRY(read_merges(get(model, "merges"), data));
  PLUMB_TRY(read_unknown(model, data));
  PLUMB_TRY(read_added_tokens(get(root, "added_tokens"), data));
  return read_tokenizer_steps(root, data);
}

// tokenizer_config.json writes a special token as its text or as an object with a "content".
Result<void> set_special_id(const json& config, const char* key, const TokenizerData& data, std::int32_t& id) {
  const json& value = get(config, key);
  if (value.is_null()) {
    return {};
  }
  const json& text = value.is_object() ? get(value, "content") : value;
  if (!text.is_string()) {
    return Error{std::string(key) + " must be a text or an object with a content"};
  }
  const auto found = std::find(data.tokens.begin(), data.tokens.end(), text.get_ref<const std::string&>());
  if (found == data.tokens.end()) {
    return Error{std::string(key) + " is " + show(text) + ", which the vocabulary lacks"};
  }
  id = static_cast<std::int32_t>(found - data.tokens.begin());
  return {};
}

Result<std::string> chat_template_of(const json& value) {
  if (value.is_null()) {
    return std::string();
  }
  if (value.is_string()) {
    return value.get<std::string>();
  }
  for (const json& named : value.is_array() ? value : json::array()) {
    if (named.is_object() && get(named, "name") == "default" && get(named, "template").is_string()) {
      return named["template"].get<std::string>();
    }
  }
  return Error{"chat_template must be a text, or a list of named ones with one named \"default\""};
}

}  // namespace

Result<TokenizerData> parse_tokenizer_json(std::string_view text, const std::string& name) {
  const json root = json::parse(text, nullptr, false);
  if (!root.is_object()) {
    return Error{name + ": is no JSON object; the file is truncated or damaged"};
  }
  TokenizerData data;
  if (const auto read = read_tokenizer(root, data); !read) {
    return read.error().with_context(name);
  }
  data.json_text = text;
  return data;
}

Result<std::string> parse_tokenizer_config_json(std::string_view text, const std::string& name,
                                                TokenizerData& tokenizer) {
  const json config = json::parse(text, nullptr, false);
  if (!config.is_object()) {
    return Error{name + ": is no JSON object; the file is truncated or damaged"};
  }
  const auto read = [&]() -> Result<std::string> {
    PLUMB_TRY(set_special_id(config, "bos_token", tokenizer, tokenizer.bos_id));
    PLUMB_TRY(set_special_id(config, "eos_token", tokenizer, tokenizer.eos_id));
    PLUMB_TRY(set_special_id(config, "pad_token", tokenizer, tokenizer.pad_id));
    PLUMB_TRY(set_special_id(config, "unk_token", tokenizer, tokenizer.unk_id));
    return chat_template_of(get(config, "chat_template"));
  };
  auto result = read();
  return result ? result : Result<std::string>(result.error().with_context(name));
}

Result<void> add_end_ids(std::string_view text, const std::string& name, TokenizerData& tokenizer) {
  const json config = json::parse(text, nullptr, false);
  if (!config.is_object()) {
    return Error{name + ": is no JSON object; the file is truncated or damaged"};
  }
  const json value = get(config, "eos_token_id");
  if (value.is_null()) {
    return {};
  }
  for (const json& id : value.is_array() ? value : json::array({value})) {
    if (!id.is_number_unsigned() || id.get<std::uint64_t>() > std::numeric_limits<std::int32_t>::max()) {
      return Error{name + ": eos_token_id must be a token id or a list of them, found " + value.dump().substr(0, 200)};
    }
    const auto token = id.get<std::int32_t>();
    if (token != tokenizer.eos_id && std::ranges::find(tokenizer.end_ids, token) == tokenizer.end_ids.end()) {
      tokenizer.end_ids.push_back(token);
    }
  }
  return {};
}

}  // namespace plumb
