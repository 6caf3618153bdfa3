#pragma once
// Splits text into the pieces that BPE merges within.

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "formats/tokenizer_data.h"
#include "tokenizer/scanner.h"

namespace plumb {

class Regex;

/// Text and where its pieces end. Steps may have rewritten it (Metaspace puts a symbol for each space).
struct SplitText {
  std::string_view text;          // of `storage`, or of the text that was given
  std::string storage;            // used where steps rewrote the text or dropped parts of it
  std::vector<std::size_t> ends;  // of pieces, none of them empty; the last is text.size()

  void clear();
};

/// The steps in their order. Immutable, thread-safe, copies share state.
class PreTokenizer {
 public:
  /// By GGUF's names: "gpt2", "smollm", "llama-bpe", "qwen2" (scanner.h). Errors: a name that is not known, with those
  /// that are.
  static Result<PreTokenizer> create(const std::string& name);
  /// Errors: a regular expression that is malformed or not supported.
  static Result<PreTokenizer> create(std::span<const SplitStep> steps);

  /// The pieces of `text` into `out`, whose memory is used again. `at_start`: whether it begins the whole text, which
  /// Metaspace's kFirst asks. Bytes of no well-formed UTF-8 character count as symbols. `out` views `text`.
  void split(std::string_view text, bool at_start, SplitText& out) const;

 private:
  struct Step {
    SplitStep rule;
    std::shared_ptr<const Regex> regex;
    std::optional<ScannerKind> scanner;
  };
  void apply(const Step& step, bool at_start, SplitText& out) const;

  std::vector<Step> steps_;
};

}  // namespace plumb
