// toml++ 3.3 tells blanks from other characters by a table with holes: on U+00A1 to U+0499 and others its behaviour is
// undefined. It asks wherever blanks may stand, which includes the next line after a closing backslash of a
// """string""", and whatever follows where a value went wrong. So it gets to see ASCII only.

#include "core/toml_ascii.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "core/escape.h"

namespace plumb {
namespace {

bool beyond_ascii(char c) {
  return static_cast<unsigned char>(c) >= 0x80;
}

// Whether a quote at `at` opens a string where TOML allows one: elsewhere (3e'x') toml++ reads it as part of a bare
// word.
bool opens_string(std::string_view text, std::size_t at) {
  constexpr std::string_view kBefore = " \t\n\r=[{,.";
  return (text[at] == '"' || text[at] == '\'') && (at == 0 || kBefore.find(text[at - 1]) != std::string_view::npos);
}

std::size_t quotes_of(std::string_view quoted) {
  return quoted.size() >= 6 && quoted.substr(0, 3) == std::string(3, quoted[0]) ? 3 : 1;
}

// Where the string or comment that begins at `at` ends; `at` itself where neither begins there or a string has no end.
std::size_t skip_quoted_or_comment(std::string_view text, std::size_t at) {
  const char quote = text[at];
  if (quote == '#') {
    return std::min(text.find('\n', at), text.size());
  }
  if (!opens_string(text, at)) {
    return at;
  }
  const std::string closing(quotes_of(text.substr(at)), quote);
  for (std::size_t i = at + closing.size(); i < text.size(); ++i) {
    if (quote == '"' && text[i] == '\\') {
      ++i;
    } else if (text.substr(i, closing.size()) == closing) {
      i += closing.size();
      // Up to two quotes may stand right before the three that close.
      for (int more = 0; more < 2 && closing.size() == 3 && i < text.size() && text[i] == quote; ++more) {
        ++i;
      }
      return i;
    } else if (text[i] == '\n' && closing.size() == 1) {
      return at;
    }
  }
  return at;
}

// The character of well-formed UTF-8 that begins at `at`, as TOML's escape; `at` is moved to its last byte.
std::string escape_at(std::string_view text, std::size_t& at) {
  const DecodedCharacter character = decode_utf8(text, at);
  at += character.size - 1;
  std::array<char, 16> escape{};
  std::snprintf(escape.data(), escape.size(), "\\U%08X", static_cast<unsigned>(character.code_point));
  return escape.data();
}

// A whole string, quotes included, as a "string" in ASCII.
std::string string_in_ascii(std::string_view quoted) {
  const std::size_t quotes = quotes_of(quoted);
  const bool literal = quoted[0] == '\'';
  std::string written(quotes, '"');
  for (std::size_t i = quotes; i + quotes < quoted.size(); ++i) {
    const bool escapes = !literal && quoted[i] == '\\';
    if (escapes && beyond_ascii(quoted[i + 1])) {
      written += "\\?";  // an escape that no TOML has stays one
      escape_at(quoted, ++i);
    } else if (escapes) {
      written += quoted.substr(i++, 2);
    } else if (literal && (quoted[i] == '\\' || quoted[i] == '"')) {
      written += {'\\', quoted[i]};
    } else {
      written += beyond_ascii(quoted[i]) ? escape_at(quoted, i) : std::string(1, quoted[i]);
    }
  }
  return written + std::string(quotes, '"');
}

std::string quoted_or_comment_in_ascii(std::string_view text) {
  if (std::none_of(text.begin(), text.end(), beyond_ascii)) {
    return std::string(text);
  }
  if (text[0] != '#') {
    return string_in_ascii(text);
  }
  std::string comment(text);
  std::replace_if(comment.begin(), comment.end(), beyond_ascii, '?');
  return comment;
}

}  // namespace

Result<std::string> toml_in_ascii(std::string_view text, const std::string& origin) {
  if (!is_utf8(text)) {
    return Error{origin + ": not valid TOML: the text is not UTF-8"};
  }
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  std::string written;
  text.remove_prefix(text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0);
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t end = skip_quoted_or_comment(text, i);
    if (end > i) {
      written += quoted_or_comment_in_ascii(text.substr(i, end - i));
      i = end;
    } else if (beyond_ascii(text[i])) {
      const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(i), '\n');
      return Error{origin + ":" + std::to_string(line) +
                   ": not valid TOML: characters beyond ASCII stand in quotes or comments only"};
    } else {
      written += text[i++];
    }
  }
  return written;
}

}  // namespace plumb
