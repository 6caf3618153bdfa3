#pragma once
// Conversations to the text that a model was trained on. A model ships its template as a Jinja program; this room
// recognises the programs of the ChatML family by what they compute and refuses every other, so that no conversation is
// rendered in a way that the model does not know.

#include <memory>
#include <span>
#include <string>

#include "core/records.h"
#include "core/result.h"
#include "tokenizer/tokenizer.h"

namespace plumb {

/// A template that has been understood. Immutable and thread-safe; copies share state.
class ChatTemplate {
 public:
  /// `template_text` is the model's Jinja program. Understood is ChatML: every turn as
  /// "<|im_start|>ROLE\nCONTENT<|im_end|>\n", with or without a fixed text in front of a conversation whose first turn
  /// is not the system's. White space, quotes and the ways to write one expression may differ.
  /// Errors: any other program, an empty one, or a tokenizer that lacks the template's special tokens.
  static Result<ChatTemplate> create(const std::string& template_text, const Tokenizer& tokenizer);

  /// The text of the conversation, as transformers' apply_chat_template gives it. `add_generation_prompt` appends the
  /// start of an assistant turn. Contents are inserted as they are: special tokens written in them are not escaped.
  [[nodiscard]] Result<std::string> render(std::span<const Message> messages, bool add_generation_prompt) const;

  /// What rendering takes place by.
  class Program {
   public:
    virtual ~Program() = default;
    [[nodiscard]] virtual Result<std::string> render(std::span<const Message> messages,
                                                     bool add_generation_prompt) const = 0;
  };

 private:
  explicit ChatTemplate(std::shared_ptr<const Program> program) : program_(std::move(program)) {}

  std::shared_ptr<const Program> program_;
};

}  // namespace plumb
