#include "tokenizer/chat_template.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "tokenizer/jinja_lexer.h"

namespace plumb {
namespace {

using Kind = JinjaToken::Kind;
using Tokens = std::vector<JinjaToken>;

constexpr const char* kTurnStart = "<|im_start|>";
constexpr const char* kTurnEnd = "<|im_end|>";

// ChatML with one difference left open: the text in front of a conversation without a system turn.
class ChatMl final : public ChatTemplate::Program {
 public:
  explicit ChatMl(std::string default_system) : default_system_(std::move(default_system)) {}

  [[nodiscard]] Result<std::string> render(std::span<const Message> messages,
                                           bool add_generation_prompt) const override {
    std::string text;
    if (!messages.empty() && messages[0].role != "system") {
      text += default_system_;
    }
    for (const Message& message : messages) {
      text += kTurnStart + message.role + "\n" + message.content + kTurnEnd + "\n";
    }
    if (add_generation_prompt) {
      text += std::string(kTurnStart) + "assistant\n";
    }
    return text;
  }

 private:
  std::string default_system_;
};

// a.b -> a['b']; 'x' + 'y' -> 'xy'; text -> {{ 'text' }}; {{ a }}{{ b }} -> {{ a + b }}: one spelling for what computes
// the same.
Tokens canonical(const Tokens& tokens) {
  Tokens out;
  const auto last_is = [&](Kind kind, const char* text) {
    return !out.empty() && out.back().kind == kind && out.back().text == text;
  };
  const auto push_string = [&](const std::string& text) {
    const std::size_t size = out.size();
    if (size >= 2 && last_is(Kind::kSymbol, "+") && out[size - 2].kind == Kind::kString) {
      out.pop_back();
      out.back().text += text;
    } else {
      out.push_back({Kind::kString, text});
    }
  };
  const auto open_print = [&] {
    if (last_is(Kind::kClose, "}}")) {
      out.back() = {Kind::kSymbol, "+"};
    } else {
      out.push_back({Kind::kOpen, "{{"});
    }
  };
  for (const JinjaToken& token : tokens) {
    if (token.kind == Kind::kText) {
      open_print();
      push_string(token.text);
      out.push_back({Kind::kClose, "}}"});
    } else if (token.kind == Kind::kOpen && token.text == "{{") {
      open_print();
    } else if (token.kind == Kind::kString) {
      push_string(token.text);
    } else if (token.kind == Kind::kName && last_is(Kind::kSymbol, ".")) {
      out.back() = {Kind::kSymbol, "["};
      out.push_back({Kind::kString, token.text});
      out.push_back({Kind::kSymbol, "]"});
    } else {
      out.push_back(token);
    }
  }
  return out;
}

Tokens program(const char* source) {
  return canonical(lex_jinja(source).value());
}

// Removes `prefix` from the front of `tokens`, if it is there.
bool consume(Tokens& tokens, const Tokens& prefix) {
  if (tokens.size() < prefix.size() || !std::equal(prefix.begin(), prefix.end(), tokens.begin())) {
    return false;
  }
  tokens.erase(tokens.begin(), tokens.begin() + static_cast<std::ptrdiff_t>(prefix.size()));
  return true;
}

// The fixed text in front where there is none of the system's; nothing if `tokens` is no ChatML program.
std::optional<std::string> match_chat_ml(Tokens tokens) {
  consume(tokens,
          program("{% if not add_generation_prompt is defined %}{% set add_generation_prompt = false %}{% endif %}"));
  if (!consume(tokens, program("{% for message in messages %}"))) {
    return std::nullopt;
  }
  std::string default_system;
  if (consume(tokens, program("{% if loop.first and messages[0].role != 'system' %}"))) {
    const bool prints_one_string = tokens.size() > 3 && tokens[0] == JinjaToken{Kind::kOpen, "{{"} &&
                                   tokens[1].kind == Kind::kString && tokens[2] == JinjaToken{Kind::kClose, "}}"};
    if (!prints_one_string) {
      return std::nullopt;
    }
    default_system = tokens[1].text;
    tokens.erase(tokens.begin(), tokens.begin() + 3);
    if (!consume(tokens, program("{% endif %}"))) {
      return std::nullopt;
    }
  }
  const bool turns =
      consume(tokens, program("{{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}"
                              "{% endfor %}"));
  const bool prompt =
      turns && consume(tokens, program("{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"));
  return prompt && tokens.empty() ? std::optional(default_system) : std::nullopt;
}

}  // namespace

Result<ChatTemplate> ChatTemplate::create(const std::string& template_text, const Tokenizer& tokenizer) {
  if (template_text.empty()) {
    return Error{
        "the model has no chat template; use an instruction-tuned model whose template is of the ChatML family"};
  }
  auto tokens = lex_jinja(template_text);
  if (!tokens) {
    return tokens.error().with_context("the chat template cannot be read");
  }
  const auto default_system = match_chat_ml(canonical(*tokens));
  if (!default_system) {
    return Error{
        "the chat template is none of the ChatML family (<|im_start|>ROLE, content, <|im_end|>), which alone is "
        "supported; put a ChatML template into tokenizer_config.json or use another model"};
  }
  for (const char* marker : {kTurnStart, kTurnEnd}) {
    if (tokenizer.id_of(marker) < 0) {
      return Error{std::string("the chat template writes ") + marker + ", which is no special token of the tokenizer"};
    }
  }
  return ChatTemplate(std::make_shared<const ChatMl>(*default_system));
}

Result<std::string> ChatTemplate::render(std::span<const Message> messages, bool add_generation_prompt) const {
  return program_->render(messages, add_generation_prompt);
}

}  // namespace plumb
