// Oniguruma's syntax to PCRE2's.

#include "tokenizer/regex.h"

namespace plumb {
namespace {

// Inside brackets. PCRE2's \s also holds U+180E, which is no white space any more, and its \w lacks marks and circled
// letters.
constexpr const char* kWhite =
    R"(\x09-\x0d\x20\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000})";
constexpr const char* kWord = R"(\p{L}\p{M}\p{N}\p{Pc}\x{24b6}-\x{24e9})";
constexpr const char* kHex = "0-9A-Fa-f";

class Translator {
 public:
  explicit Translator(std::string_view pattern) : pattern_(pattern) {}

  Result<std::string> run() {
    while (at_ < pattern_.size()) {
      const char c = pattern_[at_];
      if (c == '\\') {
        PLUMB_TRY(escape(false));
      } else if (c == '[') {
        PLUMB_TRY(bracket());
      } else if (c == '(') {
        PLUMB_TRY(group());
      } else {
        out_ += c;
        ++at_;
        PLUMB_TRY(no_possessive_interval(c));
      }
    }
    return std::move(out_);
  }

 private:
  [[nodiscard]] Error unsupported(const std::string& what) const {
    return Error{"the regular expression \"" + std::string(pattern_.substr(0, 200)) + "\" holds " + what +
                 ", which is not supported"};
  }

  // In Ruby's syntax "{n,m}+" repeats the repetition; PCRE2 reads a possessive one.
  Result<void> no_possessive_interval(char c) {
    if (c == '}' && at_ < pattern_.size() && pattern_[at_] == '+') {
      return unsupported("a repeated interval");
    }
    return {};
  }

  Result<void> escape(bool in_bracket) {
    if (at_ + 1 >= pattern_.size()) {
      return unsupported("a backslash at its end");
    }
    const char c = pattern_[at_ + 1];
    at_ += 2;
    if (c == 's' || c == 'w' || c == 'h') {
      const char* members = c == 's' ? kWhite : c == 'w' ? kWord : kHex;
      out_ += in_bracket ? std::string(members) : "[" + std::string(members) + "]";
      return {};
    }
    if ((c == 'S' || c == 'W' || c == 'H') && !in_bracket) {
      out_ += "[^" + std::string(c == 'S' ? kWhite : c == 'W' ? kWord : kHex) + "]";
      return {};
    }
    if (c == 'p' || c == 'P') {
      return property(c);
    }
    const bool simple = std::string_view("dDntrfvae").find(c) != std::string_view::npos ||
                        (!in_bracket && (c == 'A' || c == 'z' || c == 'Z'));
    const auto byte = static_cast<unsigned char>(c);
    const bool is_alphanumeric = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (c == 'v') {  // a vertical tab; PCRE2's \v is a class
      out_ += "\\x0b";
    } else if (c == 'x' || c == 'u') {
      return code_point(c);
    } else if (simple || (!is_alphanumeric && byte < 0x80)) {
      out_ += '\\';
      out_ += c;
    } else {
      return unsupported(std::string("\\") + c);
    }
    return {};
  }

  // \p{L}, \p{^L}, \p{Han}, \p{Lu}.
  Result<void> property(char letter) {
    const std::size_t close = pattern_.find('}', at_);
    if (at_ >= pattern_.size() || pattern_[at_] != '{' || close == std::string_view::npos || close - at_ > 40) {
      return unsupported("a property without braces");
    }
    out_ += '\\';
    out_ += letter;
    out_ += pattern_.substr(at_, close + 1 - at_);
    at_ = close + 1;
    return {};
  }

  // \x41, \x{1F600}, \u00e9.
  Result<void> code_point(char letter) {
    std::string_view digits = pattern_.substr(at_, letter == 'u' ? 4 : 2);
    std::size_t used = digits.size();
    if (letter == 'x' && digits.starts_with('{')) {
      const std::size_t close = pattern_.find('}', at_);
      if (close == std::string_view::npos) {
        return unsupported("an open \\x{");
      }
      digits = pattern_.substr(at_ + 1, close - at_ - 1);
      used = digits.size() + 2;
    }
    if (digits.empty() || digits.size() > 8 ||
        digits.find_first_not_of("0123456789abcdefABCDEF") != std::string_view::npos) {
      return unsupported(std::string("a malformed \\") + letter);
    }
    out_ += "\\x{" + std::string(digits) + "}";
    at_ += used;
    return {};
  }

  Result<void> bracket() {
    out_ += '[';
    ++at_;
    if (at_ < pattern_.size() && pattern_[at_] == '^') {
      out_ += '^';
      ++at_;
    }
    for (bool first = true; at_ < pattern_.size(); first = false) {
      const char c = pattern_[at_];
      if (c == ']' && !first) {
        out_ += ']';
        ++at_;
        return {};
      }
      if (c == '\\') {
        PLUMB_TRY(escape(true));
      } else if (c == '[' || (c == ']' && first)) {
        return unsupported("a bracket within a bracket");
      } else if (c == '&' && pattern_.substr(at_).starts_with("&&")) {
        return unsupported("an intersection of classes");
      } else {
        out_ += c;
        ++at_;
      }
    }
    return unsupported("an open bracket");
  }

  // Plain groups, (?:, lookaround, atomic groups and the option i.
  Result<void> group() {
    const std::string_view rest = pattern_.substr(at_);
    if (!rest.starts_with("(?") && !rest.starts_with("(*")) {
      out_ += '(';
      ++at_;
      return {};
    }
    for (const std::string_view head : {"(?:", "(?=", "(?!", "(?<=", "(?<!", "(?>", "(?i:", "(?-i:", "(?i)"}) {
      if (rest.starts_with(head)) {
        out_ += head;
        at_ += head.size();
        return {};
      }
    }
    return unsupported("a group that begins with " + std::string(rest.substr(0, 4)));
  }

  std::string_view pattern_;
  std::size_t at_ = 0;
  std::string out_;
};

}  // namespace

Result<std::string> pcre_pattern(std::string_view pattern) {
  return Translator(pattern).run();
}

}  // namespace plumb
