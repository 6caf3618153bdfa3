#include "formats/tokenizer_json.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

namespace plumb {
namespace {

using nlohmann::json;

constexpr std::int64_t kMaxId = std::int64_t{1} << 24;

std::string show(const json& value) {
  return value.dump(-1, ' ', true, json::error_handler_t::replace).substr(0, 200);
}

// The value under `key`, or null where it is absent.
const json& get(const json& object, const char* key) {
  static const json null;
  const auto found = object.find(key);
  return found == object.end() ? null : *found;
}

bool is_byte_level(const json& step) {
  return step.is_object() && get(step, "type") == "ByteLevel" && get(step, "add_prefix_space") == false &&
         (get(step, "use_regex").is_null() || get(step, "use_regex") == true);
}

Result<std::string> pre_tokenizer_name(const json& step) {
  if (is_byte_level(step)) {
    return std::string("gpt2");
  }
  const json& steps = step.is_object() ? get(step, "pretokenizers") : step;
  if (step.is_object() && get(step, "type") == "Sequence" && steps.is_array() && steps.size() == 2 &&
      steps[0].is_object() && get(steps[0], "type") == "Digits" && get(steps[0], "individual_digits") == true &&
      is_byte_level(steps[1])) {
    return std::string("smollm");
  }
  return Error{
      "the pre_tokenizer " + show(step) +
      " is not supported; ByteLevel, and Digits (individual) followed by ByteLevel, without prefix space, are"};
}

Result<void> check_model(const json& model) {
  if (!model.is_object() || (get(model, "type") != "BPE" && !get(model, "type").is_null())) {
    return Error{"the model must be of type BPE"};
  }
  for (const char* option : {"dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix"}) {
    const json& value = get(model, option);
    if (!value.is_null() && value != "") {
      return Error{std::string("the model option ") + option + " = " + show(value) + " is not supported"};
    }
  }
  for (const char* option : {"byte_fallback", "ignore_merges"}) {
    const json& value = get(model, option);
    if (!value.is_null() && value != false) {
      return Error{std::string("the model option ") + option + " = " + show(value) + " is not supported"};
    }
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
    if (!token.is_object() || !get(token, "content").is_string()) {
      return Error{"the added token " + show(token) + " has no content"};
    }
    const auto text = token["content"].get<std::string>();
    for (const char* option : {"single_word", "lstrip", "rstrip"}) {
      if (get(token, option) == true) {
        return Error{"the added token " + show(text) + " has " + option + ", which is not supported"};
      }
    }
    PLUMB_TRY(set_token(data, get(token, "id"), text,
                        get(token, "special") == true ? TokenKind::kSpecial : TokenKind::kAdded));
  }
  return {};
}

Result<void> read_tokenizer(const json& root, TokenizerData& data) {
  if (!get(root, "normalizer").is_null()) {
    return Error{"the normalizer " + show(root["normalizer"]) + " is not supported; it must be null"};
  }
  const json& post = get(root, "post_processor");
  if (!post.is_null() && !(post.is_object() && get(post, "type") == "ByteLevel")) {
    return Error{"the post_processor " + show(post) + " is not supported; it must be null or ByteLevel"};
  }
  PLUMB_ASSIGN(data.pre_tokenizer, pre_tokenizer_name(get(root, "pre_tokenizer")));
  const json& model = get(root, "model");
  PLUMB_TRY(check_model(model));
  PLUMB_TRY(read_vocab(get(model, "vocab"), data));
  PLUMB_TRY(read_merges(get(model, "merges"), data));
  return read_added_tokens(get(root, "added_tokens"), data);
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

}  // namespace plumb
