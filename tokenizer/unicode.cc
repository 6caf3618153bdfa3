#include "tokenizer/unicode.h"

#include <utf8proc.h>

#include "tokenizer/utf8.h"

namespace plumb {
namespace {

constexpr CharClass ascii_class(unsigned c) {
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
    return CharClass::kLetter;
  }
  if (c >= '0' && c <= '9') {
    return CharClass::kNumber;
  }
  if (c == '\n' || c == '\r') {
    return CharClass::kNewline;
  }
  return c == ' ' || (c >= 9 && c <= 13) ? CharClass::kSpace : CharClass::kOther;
}

constexpr std::array<CharClass, 128> ascii_classes() {
  std::array<CharClass, 128> classes{};
  for (unsigned c = 0; c < classes.size(); ++c) {
    classes[c] = ascii_class(c);
  }
  return classes;
}

utf8proc_category_t category_of(char32_t code) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(code));
}

}  // namespace

const std::array<CharClass, 128> detail::kAsciiClasses = ascii_classes();

DecodedChar decode_char(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<char32_t>(static_cast<unsigned char>(text[i])); };
  if (byte(0) < 0x80) {
    return {byte(0), 1, true};
  }
  const Utf8Step step = utf8_step(text.substr(0, 4));
  if (step.kind != Utf8Kind::kCharacter) {
    return {};
  }
  switch (step.size) {
    case 2:
      return {(byte(0) & 0x1FU) << 6 | (byte(1) & 0x3FU), 2, true};
    case 3:
      return {(byte(0) & 0x0FU) << 12 | (byte(1) & 0x3FU) << 6 | (byte(2) & 0x3FU), 3, true};
    default:
      return {(byte(0) & 0x07U) << 18 | (byte(1) & 0x3FU) << 12 | (byte(2) & 0x3FU) << 6 | (byte(3) & 0x3FU), 4, true};
  }
}

ClassifiedChar detail::classify_beyond_ascii(std::string_view text) {
  const DecodedChar c = decode_char(text);
  if (!c.well_formed) {
    return {CharClass::kOther, 1};
  }
  const utf8proc_category_t category = category_of(c.code);
  CharClass kind = CharClass::kOther;
  if (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO) {
    kind = CharClass::kLetter;
  } else if (category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO) {
    kind = CharClass::kNumber;
  } else if (is_white_space(c.code)) {
    kind = CharClass::kSpace;
  }
  return {kind, c.size};
}

bool is_white_space(char32_t code) {
  return code == 0x20 || (code >= 0x09 && code <= 0x0D) || code == 0x85 || code == 0xA0 || code == 0x1680 ||
         (code >= 0x2000 && code <= 0x200A) || code == 0x2028 || code == 0x2029 || code == 0x202F || code == 0x205F ||
         code == 0x3000;
}

bool is_word_char(char32_t code) {
  const utf8proc_category_t category = category_of(code);
  const bool circled_letter = (code >= 0x24B6 && code <= 0x24E9) || (code >= 0x1F130 && code <= 0x1F149) ||
                              (code >= 0x1F150 && code <= 0x1F169) || (code >= 0x1F170 && code <= 0x1F189);
  return (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_NL) || category == UTF8PROC_CATEGORY_PC ||
         code == 0x200C || code == 0x200D || circled_letter;
}

void append_utf8(std::string& text, char32_t code) {
  std::array<utf8proc_uint8_t, 4> bytes{};
  const auto size = utf8proc_encode_char(static_cast<utf8proc_int32_t>(code), bytes.data());
  for (utf8proc_ssize_t i = 0; i < size; ++i) {
    text += static_cast<char>(bytes[static_cast<std::size_t>(i)]);
  }
}

}  // namespace plumb
