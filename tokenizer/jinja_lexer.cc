#include "tokenizer/jinja_lexer.h"

#include <algorithm>
#include <array>
#include <utility>

#include "tokenizer/unicode.h"

namespace plumb {
namespace {

using Kind = JinjaToken::Kind;

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' || static_cast<signed char>(c) < 0;
}

// Every line end becomes "\n"; one at the very end goes.
std::string with_plain_line_ends(std::string_view source) {
  std::string plain;
  plain.reserve(source.size());
  for (std::size_t at = 0; at < source.size(); ++at) {
    if (source[at] == '\r') {
      plain += '\n';
      at += source.substr(at + 1).starts_with('\n') ? 1 : 0;
    } else {
      plain += source[at];
    }
  }
  if (plain.ends_with('\n')) {
    plain.pop_back();
  }
  return plain;
}

class JinjaLexer {
 public:
  explicit JinjaLexer(std::string_view source) : text_(with_plain_line_ends(source)), source_(text_) {}

  Result<std::vector<JinjaToken>> run() {
    while (at_ < source_.size()) {
      if (!at_tag()) {
        at_ = text_end();
        continue;
      }
      const char opener = source_[at_ + 1];
      emit_text(opener != '{');
      const Result<void> read = opener == '#' ? skip_comment() : read_tag();
      if (!read) {
        return read.error().with_context("line " + std::to_string(line()));
      }
      text_start_ = at_;
    }
    at_ = source_.size();
    emit_text(false);
    push(Kind::kEnd, "");
    return std::move(tokens_);
  }

 private:
  [[nodiscard]] bool at_tag() const {
    const std::string_view two = source_.substr(at_, 2);
    return two == "{{" || two == "{%" || two == "{#";
  }

  [[nodiscard]] std::size_t text_end() const {
    const std::size_t brace = source_.find('{', at_ + 1);
    return brace == std::string_view::npos ? source_.size() : brace;
  }

  int line() {
    line_ += static_cast<int>(std::count(source_.begin() + static_cast<std::ptrdiff_t>(counted_),
                                         source_.begin() + static_cast<std::ptrdiff_t>(at_), '\n'));
    counted_ = at_;
    return line_;
  }

  void push(Kind kind, std::string text) { tokens_.push_back({kind, std::move(text), line()}); }

  // The text up to the tag at at_. `is_block`: lstrip_blocks applies.
  void emit_text(bool is_block) {
    std::string_view text = source_.substr(text_start_, at_ - text_start_);
    const char sign = at_ + 2 < source_.size() ? source_[at_ + 2] : ' ';
    const bool at_line_start = text_start_ == 0 || source_[text_start_ - 1] == '\n';
    if (strip_next_) {
      while (!text.empty() && is_space(text.front())) {
        text.remove_prefix(1);
      }
    }
    if (sign == '-' && at_ < source_.size()) {
      while (!text.empty() && is_space(text.back())) {
        text.remove_suffix(1);
      }
    } else if (is_block && sign != '+' && at_ < source_.size()) {
      const std::size_t newline = text.rfind('\n');
      const std::size_t line_start = newline == std::string_view::npos ? 0 : newline + 1;
      const bool blank = std::ranges::all_of(text.substr(line_start), is_space);
      if (blank && (line_start > 0 || at_line_start)) {
        text = text.substr(0, line_start);
      }
    }
    if (!text.empty()) {
      push(Kind::kText, std::string(text));
    }
  }

  // Behind a tag: "-" strips all white space that follows; a block's first newline goes unless "+" keeps it.
  void finish_tag(char sign, bool is_block) {
    strip_next_ = sign == '-';
    if (is_block && sign != '-' && sign != '+' && at_ < source_.size() && source_[at_] == '\n') {
      ++at_;
    }
  }

  Result<void> skip_comment() {
    const std::size_t end = source_.find("#}", at_ + 2);
    if (end == std::string_view::npos) {
      return Error{"a comment is not closed"};
    }
    const char sign = end > at_ + 2 ? source_[end - 1] : ' ';
    at_ = end + 2;
    finish_tag(sign, true);
    return {};
  }

  Result<void> read_tag() {
    const bool is_block = source_[at_ + 1] == '%';
    const std::string closer = is_block ? "%}" : "}}";
    const std::size_t first = tokens_.size();
    push(Kind::kOpen, is_block ? "{%" : "{{");
    at_ += 2;
    if (at_ < source_.size() && (source_[at_] == '-' || source_[at_] == '+')) {
      ++at_;
    }
    brackets_.clear();
    while (at_ < source_.size()) {
      const std::string_view rest = source_.substr(at_);
      const bool has_sign = rest.starts_with("-" + closer) || (is_block && rest.starts_with("+" + closer));
      if (brackets_.empty() && (has_sign || rest.starts_with(closer))) {
        push(Kind::kClose, closer);
        at_ += closer.size() + (has_sign ? 1 : 0);
        finish_tag(has_sign ? rest[0] : ' ', is_block);
        const bool is_raw = is_block && tokens_.size() == first + 3 && tokens_[first + 1].text == "raw" &&
                            tokens_[first + 1].kind == Kind::kName;
        return is_raw ? read_raw(first) : Result<void>();
      }
      PLUMB_TRY(read_expression_token());
    }
    return Error{"a tag is not closed"};
  }

  // Text up to {% endraw %}, in place of the three tokens from `first` on.
  Result<void> read_raw(std::size_t first) {
    tokens_.resize(first);
    const std::size_t begin = at_;
    for (std::size_t open = source_.find("{%", at_); open != std::string_view::npos;
         open = source_.find("{%", open + 2)) {
      std::size_t at = open + 2;
      const bool strips = at < source_.size() && source_[at] == '-';
      at += strips || source_.substr(at).starts_with('+') ? 1 : 0;
      at = std::min(source_.find_first_not_of(" \t\n", at), source_.size());
      if (!source_.substr(at).starts_with("endraw")) {
        continue;
      }
      at = std::min(source_.find_first_not_of(" \t\n", at + 6), source_.size());
      const char sign = at < source_.size() ? source_[at] : ' ';
      at += sign == '-' || sign == '+' ? 1 : 0;
      if (!source_.substr(at).starts_with("%}")) {
        continue;
      }
      text_start_ = begin;
      at_ = open;
      emit_text(true);
      at_ = at + 2;
      finish_tag(sign, true);
      return {};
    }
    return Error{"a raw block is not closed"};
  }

  Result<void> read_expression_token() {
    const char c = source_[at_];
    if (is_space(c)) {
      ++at_;
      return {};
    }
    if (c == '\'' || c == '"') {
      return read_string(c);
    }
    if (is_digit(c)) {
      read_number();
      return {};
    }
    if (is_name_char(c)) {
      const std::size_t start = at_;
      while (at_ < source_.size() && is_name_char(source_[at_])) {
        ++at_;
      }
      push(Kind::kName, std::string(source_.substr(start, at_ - start)));
      return {};
    }
    return read_symbol(c);
  }

  void read_number() {
    const std::size_t start = at_;
    const auto digits = [&] { at_ = std::min(source_.find_first_not_of("0123456789_", at_), source_.size()); };
    digits();
    if (source_.substr(at_).starts_with('.') && at_ + 1 < source_.size() && is_digit(source_[at_ + 1])) {
      ++at_;
      digits();
    }
    const std::size_t exponent =
        at_ + 1 < source_.size() && (source_[at_ + 1] == '+' || source_[at_ + 1] == '-') ? 2 : 1;
    if (at_ + exponent < source_.size() && (source_[at_] == 'e' || source_[at_] == 'E') &&
        is_digit(source_[at_ + exponent])) {
      at_ += exponent;
      digits();
    }
    std::string number(source_.substr(start, at_ - start));
    std::erase(number, '_');
    push(Kind::kNumber, std::move(number));
  }

  Result<void> read_symbol(char c) {
    constexpr std::array<std::string_view, 6> kPairs = {"==", "!=", ">=", "<=", "//", "**"};
    const std::string_view two = source_.substr(at_, 2);
    if (std::ranges::find(kPairs, two) != kPairs.end()) {
      push(Kind::kSymbol, std::string(two));
      at_ += 2;
      return {};
    }
    if (std::string_view("+-*/%~.,:|()[]{}<>=").find(c) == std::string_view::npos) {
      return Error{"a tag holds the unexpected character code " + std::to_string(static_cast<unsigned char>(c))};
    }
    if (c == '(' || c == '[' || c == '{') {
      brackets_ += c;
    } else if (c == ')' || c == ']' || c == '}') {
      const char opener = c == ')' ? '(' : c == ']' ? '[' : '{';
      if (brackets_.empty() || brackets_.back() != opener) {
        return Error{std::string("the bracket '") + c + "' closes none"};
      }
      brackets_.pop_back();
    }
    push(Kind::kSymbol, std::string(1, c));
    ++at_;
    return {};
  }

  // Python's escapes; an unknown one stays as it is.
  Result<void> read_string(char quote) {
    std::string value;
    for (++at_; at_ < source_.size(); ++at_) {
      const char c = source_[at_];
      if (c == quote) {
        ++at_;
        push(Kind::kString, std::move(value));
        return {};
      }
      if (c != '\\') {
        value += c;
      } else if (++at_ < source_.size()) {
        PLUMB_TRY(read_escape(value));
      }
    }
    return Error{"a string is not closed"};
  }

  // at_ is behind the backslash, and is left on the last character of the escape.
  Result<void> read_escape(std::string& value) {
    constexpr std::string_view kNames = "ntrabfv\\'\"";
    constexpr std::string_view kValues = "\n\t\r\a\b\f\v\\'\"";
    const char c = source_[at_];
    const std::size_t which = kNames.find(c);
    if (which != std::string_view::npos) {
      value += kValues[which];
    } else if (c >= '0' && c <= '7') {
      read_code(value, 8, 1, 3);
    } else if (c == 'x' || c == 'u' || c == 'U') {
      ++at_;
      const std::size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : 8;
      if (!read_code(value, 16, digits, digits)) {
        return Error{std::string("a string holds a malformed \\") + c};
      }
    } else if (c != '\n') {
      value += '\\';
      value += c;
    }
    return {};
  }

  bool read_code(std::string& value, unsigned base, std::size_t least, std::size_t most) {
    char32_t code = 0;
    std::size_t count = 0;
    for (; count < most && at_ + count < source_.size(); ++count) {
      const char c = source_[at_ + count];
      const unsigned digit = is_digit(c)            ? static_cast<unsigned>(c - '0')
                             : c >= 'a' && c <= 'f' ? static_cast<unsigned>(c - 'a' + 10)
                             : c >= 'A' && c <= 'F' ? static_cast<unsigned>(c - 'A' + 10)
                                                    : 99;
      if (digit >= base) {
        break;
      }
      code = code * base + digit;
    }
    if (count < least || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) {
      return false;
    }
    at_ += count - 1;
    append_utf8(value, code);
    return true;
  }

  std::string text_;
  std::string_view source_;
  std::size_t at_ = 0;
  std::size_t text_start_ = 0;
  std::size_t counted_ = 0;  // line ends before here are in line_
  int line_ = 1;
  bool strip_next_ = false;
  std::string brackets_;  // open ones within the tag
  std::vector<JinjaToken> tokens_;
};

}  // namespace

Result<std::vector<JinjaToken>> lex_jinja(std::string_view source) {
  return JinjaLexer(source).run();
}

}  // namespace plumb
