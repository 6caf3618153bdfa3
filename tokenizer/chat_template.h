#pragma once
// Conversations to the text that a model was trained on. A model ships its template as a Jinja program, which is run as
// transformers runs it (jinja.h).

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/records.h"
#include "core/result.h"
#include "tokenizer/jinja.h"
#include "tokenizer/tokenizer.h"

namespace plumb {

/// A template that has been understood. Immutable and thread-safe; copies share state.
class ChatTemplate {
 public:
  /// `template_text` is the model's Jinja program. It sees bos_token, eos_token, pad_token and unk_token as `tokenizer`
  /// has them. Errors: none, or one that the interpreter refuses (jinja.h); a tokenizer that lacks the markers of turns
  /// that a ChatML template writes.
  static Result<ChatTemplate> create(const std::string& template_text, const Tokenizer& tokenizer);

  /// The text of the conversation, as transformers' apply_chat_template gives it. `add_generation_prompt` appends the
  /// start of an assistant turn. Contents are inserted as they are: special tokens written in them are not escaped.
  /// The date that strftime_now() tells is always the same, so that runs replay. Errors: the template refuses the
  /// conversation, or runs into a limit.
  [[nodiscard]] Result<std::string> render(std::span<const Message> messages, bool add_generation_prompt) const;

  /// The same for variables of the caller's: `messages` as transformers takes them, `tools`, `documents`,
  /// `add_generation_prompt` and whatever else the template knows. They hide the special tokens where they say so.
  [[nodiscard]] Result<std::string> render(const nlohmann::ordered_json& variables, const JinjaOptions& options) const;

 private:
  ChatTemplate(JinjaTemplate program, const Tokenizer& tokenizer);

  JinjaTemplate program_;
  std::vector<std::pair<std::string, std::string>> special_tokens_;  // variable, text
};

}  // namespace plumb
