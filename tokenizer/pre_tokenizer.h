#pragma once
// Splits text into the pieces that BPE merges within.

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/result.h"

namespace plumb {

/// Pre-tokenizers by GGUF's names. "gpt2": contractions, then runs of letters, of digits, of other symbols (each with
/// at most one space in front), then white space, whose last character goes with what follows. "smollm": the same after
/// every digit (any Unicode number) has been cut out as a piece of its own. Immutable, thread-safe, copies share state.
class PreTokenizer {
 public:
  /// Errors: a name that is not known, with those that are.
  static Result<PreTokenizer> create(const std::string& name);

  /// Calls `piece` with consecutive parts of `text` that together are all of it. Bytes that are part of no well-formed
  /// UTF-8 character count as symbols.
  void split(std::string_view text, const std::function<void(std::string_view)>& piece) const;

 private:
  struct Pattern;  // the compiled regular expression
  explicit PreTokenizer(std::shared_ptr<const Pattern> pattern) : pattern_(std::move(pattern)) {}

  std::shared_ptr<const Pattern> pattern_;
};

}  // namespace plumb
