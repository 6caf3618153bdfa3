#include "tokenizer/scanner.h"

#include "formats/split_patterns.h"
#include "tokenizer/unicode.h"

namespace plumb {
namespace {

constexpr const char* kGpt2Pattern = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
// Cutting the digits out first means that a digit ends a run of white space as the end of the text does.
constexpr const char* kSmollmPattern =
    R"(\p{N}|'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?[^\s\p{L}\p{N}]+|\s+(?![^\s\p{N}])|\s+)";

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  // The length of "'s" and its like at `at`, which holds the apostrophe; 0 if there is none.
  [[nodiscard]] std::size_t contraction(std::size_t at, bool any_case) const {
    if (at + 1 >= text_.size()) {
      return 0;
    }
    const auto letter = [&](std::size_t i) {
      const char c = i < text_.size() ? text_[i] : ' ';
      return any_case && c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
    };
    const char first = letter(at + 1);
    if (first == 's' || first == 't' || first == 'm' || first == 'd') {
      return 2;
    }
    const char second = letter(at + 2);
    if ((second == 'e' && (first == 'r' || first == 'v')) || (second == 'l' && first == 'l')) {
      return 3;
    }
    // U+017F, the long s, differs from s by case only.
    return any_case && text_.substr(at + 1).starts_with("\u017F") ? 3 : 0;
  }

  [[nodiscard]] std::size_t run_of(CharClass kind, std::size_t at) const {
    while (at < text_.size()) {
      const ClassifiedChar c = classify(text_.substr(at));
      if (c.kind != kind) {
        break;
      }
      at += c.size;
    }
    return at;
  }

  [[nodiscard]] std::size_t numbers(std::size_t at, int at_most) const {
    for (int count = 0; count < at_most && at < text_.size(); ++count) {
      const ClassifiedChar c = classify(text_.substr(at));
      if (c.kind != CharClass::kNumber) {
        break;
      }
      at += c.size;
    }
    return at;
  }

  // White space from `at` on: all of it if `end_of_text` holds at its end or it is one character, else all but the
  // last. With `to_newline` up to the last line end in it, where there is one.
  [[nodiscard]] std::size_t white(std::size_t at, bool to_newline, bool before_number) const {
    std::size_t end = at;
    std::size_t last = at;
    std::size_t newline_end = at;
    CharClass next = CharClass::kSpace;
    while (end < text_.size()) {
      const ClassifiedChar c = classify(text_.substr(end));
      next = c.kind;
      if (next != CharClass::kSpace && next != CharClass::kNewline) {
        break;
      }
      last = end;
      end += c.size;
      newline_end = next == CharClass::kNewline ? end : newline_end;
    }
    if (to_newline && newline_end > at) {
      return newline_end;
    }
    const bool whole = end == text_.size() || last == at || (before_number && next == CharClass::kNumber);
    return whole ? end : last;
  }

  [[nodiscard]] std::size_t gpt2(std::size_t at, bool cut_numbers) const {
    if (text_[at] == '\'') {
      if (const std::size_t size = contraction(at, false); size > 0) {
        return at + size;
      }
    }
    ClassifiedChar c = classify(text_.substr(at));
    if (cut_numbers && c.kind == CharClass::kNumber) {
      return at + c.size;
    }
    std::size_t body = at;
    if (text_[at] == ' ' && at + 1 < text_.size()) {
      body = at + 1;
      c = classify(text_.substr(body));
    }
    const bool is_word =
        c.kind == CharClass::kLetter || c.kind == CharClass::kOther || (c.kind == CharClass::kNumber && !cut_numbers);
    return is_word ? run_of(c.kind, body + c.size) : white(at, false, cut_numbers);
  }

  [[nodiscard]] std::size_t llama3(std::size_t at, int num_digits) const {
    if (text_[at] == '\'') {
      if (const std::size_t size = contraction(at, true); size > 0) {
        return at + size;
      }
    }
    const ClassifiedChar first = classify(text_.substr(at));
    if (first.kind == CharClass::kLetter) {
      return run_of(CharClass::kLetter, at + first.size);
    }
    if (first.kind == CharClass::kNumber) {
      return numbers(at, num_digits);
    }
    ClassifiedChar second{CharClass::kSpace, 0};
    if (at + first.size < text_.size()) {
      second = classify(text_.substr(at + first.size));
    }
    if (first.kind != CharClass::kNewline && second.kind == CharClass::kLetter) {
      return run_of(CharClass::kLetter, at + first.size + second.size);
    }
    if (first.kind == CharClass::kOther || (text_[at] == ' ' && second.kind == CharClass::kOther)) {
      return run_of(CharClass::kNewline, run_of(CharClass::kOther, at + first.size));
    }
    return white(at, true, false);
  }

 private:
  std::string_view text_;
};

template <typename Next>
void collect(std::string_view text, std::size_t offset, std::vector<std::size_t>& ends, const Next& next) {
  for (std::size_t at = 0; at < text.size();) {
    at = next(at);
    ends.push_back(offset + at);
  }
}

}  // namespace

std::optional<ScannerKind> scanner_for(std::string_view pattern) {
  for (const ScannerKind kind : {ScannerKind::kGpt2, ScannerKind::kLlama3, ScannerKind::kQwen2}) {
    if (pattern == scanner_pattern(kind)) {
      return kind;
    }
  }
  return std::nullopt;
}

const char* scanner_pattern(ScannerKind kind) {
  switch (kind) {
    case ScannerKind::kGpt2:
      return kGpt2Pattern;
    case ScannerKind::kSmollm:
      return kSmollmPattern;
    case ScannerKind::kLlama3:
      return kLlama3Pattern;
    default:
      return kQwen2Pattern;
  }
}

void scan_pieces(ScannerKind kind, std::string_view text, std::size_t offset, std::vector<std::size_t>& ends) {
  const Scanner scanner(text);
  switch (kind) {
    case ScannerKind::kGpt2:
      return collect(text, offset, ends, [&](std::size_t at) { return scanner.gpt2(at, false); });
    case ScannerKind::kSmollm:
      return collect(text, offset, ends, [&](std::size_t at) { return scanner.gpt2(at, true); });
    case ScannerKind::kLlama3:
      return collect(text, offset, ends, [&](std::size_t at) { return scanner.llama3(at, 3); });
    case ScannerKind::kQwen2:
      return collect(text, offset, ends, [&](std::size_t at) { return scanner.llama3(at, 1); });
  }
}

}  // namespace plumb
