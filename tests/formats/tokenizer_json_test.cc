#include "formats/tokenizer_json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/model_files.h"

namespace plumb {
namespace {

using nlohmann::json;

const std::string kPath = std::string(PLUMB_SOURCE_DIR) + "/tests/golden/tokenizer_small_smollm.json";

std::string message(const json& root) {
  const auto data = parse_tokenizer_json(root.dump(), "tokenizer.json");
  return data ? std::string("accepted") : data.error().message;
}

::testing::AssertionResult has(const std::string& text, const std::string& part) {
  return ::testing::AssertionResult(text.find(part) != std::string::npos) << text;
}

TEST(TokenizerJson, ReadsWhatHuggingFaceWrote) {
  const auto data = parse_tokenizer_json(testing::read_text(kPath), kPath);
  ASSERT_TRUE(data.ok()) << data.error().message;
  EXPECT_EQ(data->pre_tokenizer, "smollm");
  EXPECT_EQ(data->tokens[1], "<|im_start|>");
  EXPECT_EQ(data->kinds[1], TokenKind::kSpecial);
  EXPECT_EQ(data->kinds[3], TokenKind::kNormal);
  EXPECT_EQ(data->tokens.size(), 3 + 256 + data->merges.size());
}

TEST(TokenizerJson, EndsOfCompletionsAreANumberOrAList) {
  TokenizerData data;
  data.eos_id = 2;
  ASSERT_TRUE(add_end_ids(R"({"eos_token_id": [2, 7]})", "config.json", data).ok());
  ASSERT_TRUE(add_end_ids(R"({"eos_token_id": 7})", "generation_config.json", data).ok());
  ASSERT_TRUE(add_end_ids(R"({"eos_token_id": 3})", "generation_config.json", data).ok());
  ASSERT_TRUE(add_end_ids(R"({"eos_token_id": null})", "config.json", data).ok());
  EXPECT_EQ(data.end_ids, (std::vector<std::int32_t>{7, 3}));
  for (const char* bad :
       {R"({"eos_token_id": "</s>"})", R"({"eos_token_id": [-1]})", R"({"eos_token_id": 1.5})", "[]"}) {
    const auto refused = add_end_ids(bad, "config.json", data);
    ASSERT_FALSE(refused.ok()) << bad;
    EXPECT_TRUE(refused.error().message.starts_with("config.json: ")) << refused.error().message;
  }
}

TEST(TokenizerJson, WritesWhatItReads) {
  for (const char* name : {"smollm", "gpt2"}) {
    const std::string path = std::string(PLUMB_SOURCE_DIR) + "/tests/golden/tokenizer_small_" + name + ".json";
    auto data = parse_tokenizer_json(testing::read_text(path), path);
    ASSERT_TRUE(data.ok());
    data->eos_id = 2;
    data->pad_id = 0;
    const auto files = make_tokenizer_files(*data, "template \"x\"\n", 64);
    ASSERT_TRUE(files.ok());
    auto again = parse_tokenizer_json(files->tokenizer_json, "again");
    ASSERT_TRUE(again.ok()) << again.error().message;
    const auto chat_template = parse_tokenizer_config_json(files->tokenizer_config_json, "config", *again);
    ASSERT_TRUE(chat_template.ok()) << chat_template.error().message;
    EXPECT_EQ(*chat_template, "template \"x\"\n");
    EXPECT_EQ(again->pre_tokenizer, name);
    EXPECT_EQ(again->tokens, data->tokens);
    EXPECT_EQ(again->kinds, data->kinds);
    EXPECT_EQ(again->merges, data->merges);
    EXPECT_EQ(again->eos_id, 2);
    EXPECT_EQ(again->pad_id, 0);
    EXPECT_EQ(again->bos_id, -1);
  }
}

TEST(TokenizerJson, RefusesByName) {
  const json whole = json::parse(testing::read_text(kPath));
  json root = whole;
  root["normalizer"] = {{"type", "Nmt"}};
  EXPECT_TRUE(has(message(root), "Nmt"));
  root = whole;
  root["pre_tokenizer"] = {{"type", "Metaspace"}};
  EXPECT_TRUE(has(message(root), "Metaspace"));
  root = whole;
  root["pre_tokenizer"]["pretokenizers"].push_back({{"type", "Digits"}});
  EXPECT_TRUE(has(message(root), "after ByteLevel"));
  root = whole;
  root["post_processor"] = {{"type", "BertProcessing"}};
  EXPECT_TRUE(has(message(root), "BertProcessing"));
  root = whole;
  root["model"]["type"] = "Unigram";
  EXPECT_TRUE(has(message(root), "BPE"));
  root["model"] = 7;
  EXPECT_TRUE(has(message(root), "BPE"));
  for (const char* option : {"byte_fallback", "ignore_merges"}) {
    root = whole;
    root["model"][option] = 7;
    EXPECT_TRUE(has(message(root), option));
  }
  root = whole;
  root["model"]["merges"].push_back("nospace");
  EXPECT_TRUE(has(message(root), "nospace"));
  root = whole;
  root["model"]["vocab"]["new"] = 5;
  EXPECT_TRUE(has(message(root), "belongs to two tokens"));
  root["model"]["vocab"]["new"] = 4000000000;
  EXPECT_TRUE(has(message(root), "impossible id"));
  root["model"]["vocab"]["new"] = 9000000;
  EXPECT_TRUE(has(message(root), "reach 9000000"));
  root["model"]["vocab"] = json::array();
  EXPECT_TRUE(has(message(root), "model.vocab"));
  root = whole;
  root["added_tokens"][0]["content"] = "";
  EXPECT_TRUE(has(message(root), "no content"));
  root["added_tokens"] = 5;
  EXPECT_TRUE(has(message(root), "added_tokens"));
  EXPECT_TRUE(has(message(json::array()), "no JSON object"));
}

TEST(TokenizerJson, ConfigErrorsNameTheKey) {
  TokenizerData data;
  data.tokens = {"a"};
  data.kinds = {TokenKind::kNormal};
  const auto read = [&](const char* text) {
    const auto result = parse_tokenizer_config_json(text, "tokenizer_config.json", data);
    return result ? "accepted: " + *result : result.error().message;
  };
  EXPECT_TRUE(has(read(R"({"eos_token":"zz"})"), "eos_token is \"zz\""));
  EXPECT_TRUE(has(read(R"({"eos_token":5})"), "eos_token must be"));
  EXPECT_TRUE(has(read(R"({"chat_template":5})"), "chat_template"));
  EXPECT_TRUE(has(read("nothing"), "no JSON object"));
  EXPECT_EQ(read(R"({"pad_token":{"content":"a"},"chat_template":[{"name":"default","template":"t"}]})"),
            "accepted: t");
  EXPECT_EQ(data.pad_id, 0);
}

TEST(TokenizerJson, RefusesToWriteWhatCannotBeRead) {
  TokenizerData data;
  data.pre_tokenizer = "other";
  EXPECT_FALSE(make_tokenizer_files(data, "", 1).ok());
  data.json_text = "{}";
  EXPECT_EQ(make_tokenizer_files(data, "", 1).value().tokenizer_json, "{}") << "is written as it was read";
  data.json_text.clear();
  data.pre_tokenizer = "gpt2";
  data.tokens = {"\xff"};
  data.kinds = {TokenKind::kNormal};
  EXPECT_FALSE(make_tokenizer_files(data, "", 1).ok());
}

}  // namespace
}  // namespace plumb
