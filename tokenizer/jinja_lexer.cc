#include "tokenizer/jinja_lexer.h"

#include <cctype>
#include <utility>

namespace plumb {
namespace {

using Kind = JinjaToken::Kind;

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

bool is_name_char(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

class JinjaLexer {
 public:
  explicit JinjaLexer(std::string_view source) : source_(source) {
    if (source_.ends_with('\n')) {
      source_.remove_suffix(1);  // Jinja's keep_trailing_newline is off
    }
  }

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
        return read.error();
      }
      text_start_ = at_;
    }
    at_ = source_.size();
    emit_text(false);
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

  // The text up to the tag at at_. `is_block`: lstrip_blocks applies.
  void emit_text(bool is_block) {
    std::string_view text = source_.substr(text_start_, at_ - text_start_);
    const char sign = at_ + 2 < source_.size() ? source_[at_ + 2] : ' ';
    const bool at_line_start = text_start_ == 0 || source_[text_start_ - 1] == '\n' || swallowed_newline_;
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
      const std::size_t last = text.find_last_not_of(" \t");
      const bool blank = last == std::string_view::npos;
      if (blank ? at_line_start : text[last] == '\n') {
        text = text.substr(0, blank ? 0 : last + 1);
      }
    }
    if (!text.empty()) {
      tokens_.push_back({Kind::kText, std::string(text)});
    }
  }

  // Behind a tag: "-" strips all white space that follows; a block's first newline goes in any case.
  void finish_tag(bool stripping, bool is_block) {
    strip_next_ = stripping;
    swallowed_newline_ = false;
    if (is_block && !stripping && at_ < source_.size() && source_[at_] == '\n') {
      ++at_;
      swallowed_newline_ = true;
    }
  }

  Result<void> skip_comment() {
    const std::size_t end = source_.find("#}", at_ + 2);
    if (end == std::string_view::npos) {
      return Error{"a comment is not closed"};
    }
    at_ = end + 2;
    finish_tag(source_[end - 1] == '-', true);
    return {};
  }

  Result<void> read_tag() {
    const bool is_block = source_[at_ + 1] == '%';
    const std::string closer = is_block ? "%}" : "}}";
    tokens_.push_back({Kind::kOpen, is_block ? "{%" : "{{"});
    at_ += 2;
    if (at_ < source_.size() && (source_[at_] == '-' || source_[at_] == '+')) {
      ++at_;
    }
    while (at_ < source_.size()) {
      const std::string_view rest = source_.substr(at_);
      const bool stripping = rest.starts_with("-" + closer);
      if (stripping || rest.starts_with(closer)) {
        tokens_.push_back({Kind::kClose, closer});
        at_ += closer.size() + (stripping ? 1 : 0);
        finish_tag(stripping, is_block);
        return {};
      }
      PLUMB_TRY(read_expression_token());
    }
    return Error{"a tag is not closed"};
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
    if (is_name_char(c)) {
      const std::size_t start = at_;
      while (at_ < source_.size() && is_name_char(source_[at_])) {
        ++at_;
      }
      tokens_.push_back({Kind::kName, std::string(source_.substr(start, at_ - start))});
      return {};
    }
    const std::string_view two = source_.substr(at_, 2);
    if (two == "==" || two == "!=" || two == ">=" || two == "<=" || two == "//" || two == "**") {
      tokens_.push_back({Kind::kSymbol, std::string(two)});
      at_ += 2;
      return {};
    }
    if (std::string_view("+-*/%~.,:|()[]{}<>=").find(c) == std::string_view::npos) {
      return Error{"a tag holds the unexpected character code " + std::to_string(static_cast<unsigned char>(c))};
    }
    tokens_.push_back({Kind::kSymbol, std::string(1, c)});
    ++at_;
    return {};
  }

  Result<void> read_string(char quote) {
    std::string value;
    for (++at_; at_ < source_.size(); ++at_) {
      char c = source_[at_];
      if (c == quote) {
        ++at_;
        tokens_.push_back({Kind::kString, std::move(value)});
        return {};
      }
      if (c == '\\') {
        ++at_;
        constexpr std::string_view kNames = "ntr\\'\"";
        constexpr std::string_view kValues = "\n\t\r\\'\"";
        const std::size_t which = at_ < source_.size() ? kNames.find(source_[at_]) : std::string_view::npos;
        if (which == std::string_view::npos) {
          return Error{"a string holds an unsupported escape"};
        }
        c = kValues[which];
      }
      value += c;
    }
    return Error{"a string is not closed"};
  }

  std::string_view source_;
  std::size_t at_ = 0;
  std::size_t text_start_ = 0;
  bool strip_next_ = false;
  bool swallowed_newline_ = false;
  std::vector<JinjaToken> tokens_;
};

}  // namespace

Result<std::vector<JinjaToken>> lex_jinja(std::string_view source) {
  return JinjaLexer(source).run();
}

}  // namespace plumb
