#include <nlohmann/json.hpp>
#include <utility>

#include "core/escape.h"
#include "formats/tokenizer_json.h"

namespace plumb {
namespace {

using nlohmann::ordered_json;

ordered_json byte_level() {
  return {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", true}};
}

bool is_writable(const TokenizerData& data) {
  const bool is_named = data.pre_tokenizer == "gpt2" || data.pre_tokenizer == "smollm";
  return is_named || (data.pre_tokenizer.empty() && is_pattern_and_bytes(data.split_steps));
}

ordered_json pre_tokenizer(const TokenizerData& data) {
  if (data.pre_tokenizer == "gpt2") {
    return byte_level();
  }
  ordered_json first = {{"type", "Digits"}, {"individual_digits", true}};
  ordered_json second = byte_level();
  if (data.pre_tokenizer.empty()) {
    first = {{"type", "Split"}, {"pattern", {{"Regex", data.split_steps[0].pattern}}}};
    first.update({{"behavior", "Isolated"}, {"invert", false}});
    second["use_regex"] = false;
  }
  return {{"type", "Sequence"}, {"pretokenizers", {first, second}}};
}

ordered_json normalizer(const TokenizerData& data) {
  return data.normalizer.empty() ? ordered_json(nullptr) : ordered_json({{"type", "NFC"}});
}

// The tokens around one text and around two.
ordered_json post_processor(const TokenizerData& data) {
  if (data.prefix_ids.empty() && data.suffix_ids.empty()) {
    return nullptr;
  }
  ordered_json single = ordered_json::array();
  ordered_json pair = ordered_json::array();
  ordered_json tokens = ordered_json::object();
  const auto add = [&](const std::vector<std::int32_t>& ids, int type) {
    for (const std::int32_t id : ids) {
      const std::string& text = data.tokens[static_cast<std::size_t>(id)];
      const ordered_json piece = {{"SpecialToken", {{"id", text}, {"type_id", type}}}};
      pair.push_back(piece);
      if (type == 0) {
        single.push_back(piece);
      }
      tokens[text] = {{"id", text}, {"ids", {id}}, {"tokens", {text}}};
    }
  };
  for (const int type : {0, 1}) {
    const ordered_json text = {{"Sequence", {{"id", type == 0 ? "A" : "B"}, {"type_id", type}}}};
    add(data.prefix_ids, type);
    pair.push_back(text);
    if (type == 0) {
      single.push_back(text);
    }
    add(data.suffix_ids, type);
  }
  return {{"type", "TemplateProcessing"}, {"single", single}, {"pair", pair}, {"special_tokens", tokens}};
}

ordered_json added_token(const std::string& text, bool special) {
  return {{"content", text}, {"single_word", false}, {"lstrip", false},
          {"rstrip", false}, {"normalized", false},  {"special", special}};
}

bool is_marker(TokenKind kind) {
  return kind == TokenKind::kSpecial || kind == TokenKind::kAdded;
}

ordered_json tokenizer_object(const TokenizerData& data) {
  ordered_json added = ordered_json::array();
  // A plain json object sorts its keys, which an ordered one finds in linear time only: too slow for a vocabulary.
  nlohmann::json vocab = nlohmann::json::object();
  for (std::size_t id = 0; id < data.tokens.size(); ++id) {
    if (data.kinds[id] == TokenKind::kUnused && data.tokens[id].empty()) {
      continue;  // an id that no token has
    }
    vocab[data.tokens[id]] = id;
    if (is_marker(data.kinds[id])) {
      ordered_json token = {{"id", id}};
      token.update(added_token(data.tokens[id], data.kinds[id] == TokenKind::kSpecial));
      added.push_back(std::move(token));
    }
  }
  ordered_json merges = ordered_json::array();
  for (const auto& [left, right] : data.merges) {
    merges.push_back(left + " " + right);  // the form that every version of `tokenizers` reads
  }
  ordered_json model = {{"type", "BPE"},
                        {"dropout", nullptr},
                        {"unk_token", nullptr},
                        {"continuing_subword_prefix", nullptr},
                        {"end_of_word_suffix", nullptr},
                        {"fuse_unk", false},
                        {"byte_fallback", false},
                        {"ignore_merges", data.ignore_merges}};
  model["vocab"] = vocab;
  model["merges"] = std::move(merges);
  ordered_json root = {{"version", "1.0"}, {"truncation", nullptr}, {"padding", nullptr}};
  root["added_tokens"] = std::move(added);
  root["normalizer"] = normalizer(data);
  root["pre_tokenizer"] = pre_tokenizer(data);
  root["post_processor"] = post_processor(data);
  root["decoder"] = byte_level();
  root["model"] = std::move(model);
  return root;
}

ordered_json special_tokens(const TokenizerData& data) {
  ordered_json map = ordered_json::object();
  for (const auto& [key, id] : {std::pair{"bos_token", data.bos_id}, std::pair{"eos_token", data.eos_id},
                                std::pair{"unk_token", data.unk_id}, std::pair{"pad_token", data.pad_id}}) {
    if (id >= 0) {
      map[key] = data.tokens[static_cast<std::size_t>(id)];
    }
  }
  return map;
}

ordered_json config_object(const TokenizerData& data, const std::string& chat_template, std::int64_t max_positions) {
  ordered_json decoder = ordered_json::object();
  for (std::size_t id = 0; id < data.tokens.size(); ++id) {
    if (is_marker(data.kinds[id])) {
      decoder[std::to_string(id)] = added_token(data.tokens[id], data.kinds[id] == TokenKind::kSpecial);
    }
  }
  ordered_json config = {{"add_prefix_space", false}};
  config["added_tokens_decoder"] = std::move(decoder);
  config.update(special_tokens(data));
  if (!chat_template.empty()) {
    config["chat_template"] = chat_template;
  }
  config["clean_up_tokenization_spaces"] = false;
  config["model_max_length"] = max_positions;
  // Takes tokenizer.json as it stands, where GPT2Tokenizer would build its own pre-tokenizer.
  config["tokenizer_class"] = "PreTrainedTokenizerFast";
  return config;
}

}  // namespace

Result<TokenizerFiles> make_tokenizer_files(const TokenizerData& data, const std::string& chat_template,
                                            std::int64_t max_positions) {
  if (data.json_text.empty() && !is_writable(data)) {
    return Error{"the pre-tokenizer \"" + data.pre_tokenizer +
                 "\" cannot be written; \"gpt2\", \"smollm\", \"llama-bpe\" and \"qwen2\" can"};
  }
  for (const std::string& token : data.tokens) {
    if (!is_utf8(token)) {
      return Error{"a token of the vocabulary is no UTF-8 and cannot be written to tokenizer.json"};
    }
  }
  if (!is_utf8(chat_template)) {
    return Error{"the chat template is no UTF-8 and cannot be written to tokenizer_config.json"};
  }
  return TokenizerFiles{data.json_text.empty() ? tokenizer_object(data).dump(1) + "\n" : data.json_text,
                        config_object(data, chat_template, max_positions).dump(2) + "\n",
                        special_tokens(data).dump(2) + "\n"};
}

}  // namespace plumb
