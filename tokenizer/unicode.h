#pragma once
// What patterns and normalizers ask about characters.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace plumb {

/// General category L, general category N, U+000A and U+000D, the rest of White_Space, everything else.
enum class CharClass : std::uint8_t { kLetter, kNumber, kNewline, kSpace, kOther };

struct ClassifiedChar {
  CharClass kind = CharClass::kOther;
  std::uint8_t size = 1;  // in bytes
};

/// A character decoded. A byte of no well-formed UTF-8 is a character of its own, U+0001.
struct DecodedChar {
  char32_t code = 1;
  std::uint8_t size = 1;
  bool well_formed = false;
};

/// `text` is not empty; so for classify().
DecodedChar decode_char(std::string_view text);

namespace detail {
extern const std::array<CharClass, 128> kAsciiClasses;
ClassifiedChar classify_beyond_ascii(std::string_view text);
}  // namespace detail

/// The character at the start of `text`, by utf8proc's tables (Unicode 15).
inline ClassifiedChar classify(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  return first < 0x80 ? ClassifiedChar{detail::kAsciiClasses[first], 1} : detail::classify_beyond_ascii(text);
}

bool is_white_space(char32_t code);
/// \w as Unicode's regular expressions have it: letters and other alphabetics, marks, decimal digits, connectors.
bool is_word_char(char32_t code);
void append_utf8(std::string& text, char32_t code);

}  // namespace plumb
