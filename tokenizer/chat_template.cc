#include "tokenizer/chat_template.h"

#include <nlohmann/json.hpp>

namespace plumb {

ChatTemplate::ChatTemplate(JinjaTemplate program, const Tokenizer& tokenizer) : program_(std::move(program)) {
  for (const auto& [name, id] :
       {std::pair{"bos_token", tokenizer.bos_id()}, std::pair{"eos_token", tokenizer.eos_id()},
        std::pair{"pad_token", tokenizer.pad_id()}, std::pair{"unk_token", tokenizer.unk_id()}}) {
    if (id >= 0) {
      special_tokens_.emplace_back(name, std::string(tokenizer.token_bytes(id)));
    }
  }
}

Result<ChatTemplate> ChatTemplate::create(const std::string& template_text, const Tokenizer& tokenizer) {
  if (template_text.empty()) {
    return Error{
        "the model has no chat template; use an instruction-tuned model, or put one into tokenizer_config.json"};
  }
  auto program = JinjaTemplate::parse(template_text);
  if (!program) {
    return program.error().with_context("the chat template cannot be read");
  }
  for (const char* marker : {"<|im_start|>", "<|im_end|>"}) {
    if (template_text.find(marker) != std::string::npos && tokenizer.id_of(marker) < 0) {
      return Error{std::string("the chat template writes ") + marker + ", which is no special token of the tokenizer"};
    }
  }
  return ChatTemplate(std::move(program).value(), tokenizer);
}

Result<std::string> ChatTemplate::render(std::span<const Message> messages, bool add_generation_prompt) const {
  nlohmann::ordered_json variables = {{"messages", nlohmann::ordered_json::array()}};
  for (const Message& message : messages) {
    variables["messages"].push_back({{"role", message.role}, {"content", message.content}});
  }
  variables["add_generation_prompt"] = add_generation_prompt;
  return render(variables, JinjaOptions());
}

Result<std::string> ChatTemplate::render(const nlohmann::ordered_json& variables, const JinjaOptions& options) const {
  nlohmann::ordered_json all = {{"tools", nullptr}, {"documents", nullptr}};
  for (const auto& [name, text] : special_tokens_) {
    all[name] = text;
  }
  all.update(variables);
  auto text = program_.render(all, options);
  return text ? std::move(text) : Result<std::string>(text.error().with_context("the chat template"));
}

}  // namespace plumb
