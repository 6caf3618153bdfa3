#include "tokenizer/chat_template.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "formats/model_folder.h"
#include "formats/tokenizer_json.h"
#include "tests/support/model_files.h"
#include "tokenizer/jinja_lexer.h"

namespace plumb {
namespace {

const std::string kGolden = std::string(PLUMB_SOURCE_DIR) + "/tests/golden/";

Tokenizer small() {
  const std::string path = kGolden + "tokenizer_small_smollm.json";
  return Tokenizer::create(parse_tokenizer_json(testing::read_text(path), path).value()).value();
}

constexpr const char* kTurns =
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + "
    "'\n'}}"
    "{% endfor %}";
constexpr const char* kPrompt = "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

TEST(ChatTemplate, EqualsJinja) {
  const Tokenizer tokenizer = small();
  std::ifstream file(kGolden + "chat_template.jsonl");
  int lines = 0;
  for (std::string line; std::getline(file, line); ++lines) {
    const auto row = nlohmann::json::parse(line);
    const auto chat = ChatTemplate::create(row["template"].get<std::string>(), tokenizer);
    ASSERT_TRUE(chat.ok()) << row["template"] << chat.error().message;
    std::vector<Message> messages;
    for (const auto& message : row["messages"]) {
      messages.push_back({message["role"].get<std::string>(), message["content"].get<std::string>()});
    }
    const auto text = chat->render(messages, row["add_generation_prompt"].get<bool>());
    ASSERT_TRUE(text.ok());
    EXPECT_EQ(*text, row["text"].get<std::string>()) << row["template"];
  }
  EXPECT_EQ(lines, 40);
}

TEST(ChatTemplate, SmolLm2AddsItsSystemTurn) {
  auto model = open_model(testing::test_model_path());
  if (!model) {
    GTEST_SKIP() << "set PLUMB_TEST_MODEL: " << model.error().message;
  }
  const auto tokenizer = Tokenizer::create((*model)->tokenizer);
  ASSERT_TRUE(tokenizer.ok());
  const auto chat = ChatTemplate::create((*model)->chat_template, *tokenizer);
  ASSERT_TRUE(chat.ok()) << chat.error().message;
  const std::vector<Message> user = {{"user", "Hi"}};
  EXPECT_EQ(chat->render(user, true).value(),
            "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n"
            "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n");
  const std::vector<Message> with_system = {{"system", "Be brief."}, {"user", "Hi"}};
  EXPECT_EQ(chat->render(with_system, false).value(),
            "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n");
}

TEST(ChatTemplate, RefusesWhatIsNoTemplate) {
  const Tokenizer tokenizer = small();
  const std::string turns = kTurns;
  for (const std::string& text :
       {std::string(), std::string("{% for message in messages %}") + kPrompt, turns + "{% if add_generation_prompt %}",
        turns + "{%", turns + "{{ '", turns + "{# x", turns + "{{ ? }}", turns + "{% include 'x' %}"}) {
    const auto chat = ChatTemplate::create(text, tokenizer);
    ASSERT_FALSE(chat.ok()) << text;
    EXPECT_NE(chat.error().message.find("chat template"), std::string::npos) << chat.error().message;
  }
}

TEST(ChatTemplate, SeesTheSpecialTokensAndPassesOnRefusals) {
  const std::string path = kGolden + "tokenizer_small_smollm.json";
  TokenizerData data = parse_tokenizer_json(testing::read_text(path), path).value();
  data.bos_id = 1;
  const Tokenizer tokenizer = Tokenizer::create(data).value();
  const std::vector<Message> user = {{"user", "Hi"}};
  const auto chat = ChatTemplate::create("{{ bos_token }}{{ eos_token is defined }}{{ tools }}", tokenizer).value();
  EXPECT_EQ(chat.render(user, true).value(), "<|im_start|>FalseNone");
  const auto refuses = ChatTemplate::create("{{ raise_exception('only ' ~ messages[0].role) }}", tokenizer).value();
  EXPECT_EQ(refuses.render(user, true).error().message, "the chat template: the template refuses: only user");
}

TEST(ChatTemplate, NeedsTheTurnMarkersInTheVocabulary) {
  TokenizerData data;
  data.pre_tokenizer = "gpt2";
  data.tokens = {"a"};
  data.kinds = {TokenKind::kNormal};
  const auto chat = ChatTemplate::create(std::string(kTurns) + kPrompt, Tokenizer::create(data).value());
  ASSERT_FALSE(chat.ok());
  EXPECT_NE(chat.error().message.find("<|im_start|>"), std::string::npos);
}

TEST(JinjaLexer, AppliesWhiteSpaceControl) {
  const auto tokens = lex_jinja("a \n  {%- if x -%}  \n b  {% endif %}\n\nc{# gone #}\nd\n");
  ASSERT_TRUE(tokens.ok());
  std::vector<std::string> texts;
  for (const JinjaToken& token : *tokens) {
    if (token.kind == JinjaToken::Kind::kText) {
      texts.push_back(token.text);
    }
  }
  EXPECT_EQ(texts, (std::vector<std::string>{"a", "b  ", "\nc", "d"}));
}

}  // namespace
}  // namespace plumb
