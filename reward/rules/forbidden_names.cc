#include "reward/rules/forbidden_names.h"

#include <algorithm>

namespace plumb {
namespace {

bool is_name_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

// The code of a source: comments and quoted texts become one blank each.
class CodeReader {
 public:
  CodeReader(std::string_view source, Language language) : source_(source), python_(language == Language::kPython) {}

  std::string read() {
    while (at_ < source_.size()) {
      const char c = source_[at_];
      if (starts_comment()) {
        skip_to("\n", 0);
      } else if (!python_ && starts("/*")) {
        skip_to("*/", 2);
      } else if (!python_ && c == '"' && ends_word("R")) {
        skip_raw_string();
      } else if (c == '"' || c == '\'') {
        read_quoted(c);
      } else {
        code_ += c;
        ++at_;
      }
    }
    return std::move(code_);
  }

 private:
  [[nodiscard]] bool starts(std::string_view text) const { return source_.substr(at_).starts_with(text); }
  [[nodiscard]] bool starts_comment() const { return python_ ? starts("#") : starts("//"); }

  // Whether the identifier just read ends with `letter`, in either case for Python.
  [[nodiscard]] bool ends_word(std::string_view letters) const {
    return !code_.empty() && letters.find(code_.back()) != std::string_view::npos;
  }

  void skip_to(std::string_view end, std::size_t beyond) {
    const std::size_t found = source_.find(end, at_ + beyond);
    at_ = found == std::string_view::npos ? source_.size() : found + end.size();
    code_ += ' ';
  }

  void skip_raw_string() {
    const std::size_t open = source_.find('(', at_);
    if (open == std::string_view::npos) {
      at_ = source_.size();
      return;
    }
    const std::string end = ")" + std::string(source_.substr(at_ + 1, open - at_ - 1)) + "\"";
    at_ = open;
    skip_to(end, 1);
  }

  void read_quoted(char quote) {
    const bool digit_separator = !python_ && quote == '\'' && !code_.empty() && is_name_byte(code_.back());
    if (digit_separator) {
      ++at_;
      return;
    }
    const bool formatted = python_ && ends_word("fF");
    const std::string triple(3, quote);
    const std::string end = python_ && starts(triple) ? triple : std::string(1, quote);
    at_ += end.size();
    const std::size_t begin = at_;
    while (at_ < source_.size() && !starts(end) && (end.size() == 3 || source_[at_] != '\n')) {
      at_ += source_[at_] == '\\' ? 2 : 1;
    }
    at_ = std::min(at_, source_.size());
    code_ += ' ';
    if (formatted) {
      code_.append(source_.substr(begin, at_ - begin)).append(" ");
    }
    at_ = std::min(at_ + end.size(), source_.size());
  }

  std::string_view source_;
  bool python_;
  std::size_t at_ = 0;
  std::string code_;
};

// Blanks beside "." and ":" taken out, others left.
std::string joined(const std::string& code) {
  std::string out;
  bool blank = false;
  for (const char c : code) {
    if (is_blank(c)) {
      blank = true;
      continue;
    }
    const bool joins = c == '.' || c == ':' || (!out.empty() && (out.back() == '.' || out.back() == ':'));
    if (blank && !joins) {
      out += ' ';
    }
    out += c;
    blank = false;
  }
  return out;
}

bool uses(const std::string& code, const std::string& name) {
  const bool compound = name.find_first_of(".:") != std::string::npos;
  for (std::size_t at = code.find(name); at != std::string::npos; at = code.find(name, at + 1)) {
    const char before = at > 0 ? code[at - 1] : ' ';
    const char after = at + name.size() < code.size() ? code[at + name.size()] : ' ';
    if (!is_name_byte(before) && !is_name_byte(after) && !(compound && before == '.')) {
      return true;
    }
  }
  return false;
}

}  // namespace

std::string forbidden_name_in(std::string_view source, Language language, std::span<const std::string> names) {
  if (names.empty()) {
    return {};
  }
  const std::string code = joined(CodeReader(source, language).read());
  const auto found = std::find_if(names.begin(), names.end(),
                                  [&](const std::string& name) { return !name.empty() && uses(code, name); });
  return found == names.end() ? std::string() : *found;
}

}  // namespace plumb
