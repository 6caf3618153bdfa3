#include "core/escape.h"

#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <cstdio>

namespace plumb {

// The second byte's range depends on the first: that excludes overlong forms, surrogates and what lies beyond U+10FFFF.
DecodedCharacter decode_utf8(std::string_view bytes, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const unsigned first = byte(at);
  if (first < 0x80) {
    return {first, 1, true};
  }
  const std::size_t length = first >= 0xC2 && first <= 0xDF   ? 2
                             : first >= 0xE0 && first <= 0xEF ? 3
                             : first >= 0xF0 && first <= 0xF4 ? 4
                                                              : 0;
  if (length == 0) {
    return {};
  }
  char32_t code_point = first & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    unsigned low = 0x80;
    unsigned high = 0xBF;
    if (i == 1) {
      low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : low;
      high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : high;
    }
    if (at + i >= bytes.size() || byte(at + i) < low || byte(at + i) > high) {
      return {0, i, false};
    }
    code_point = (code_point << 6) | (byte(at + i) & 0x3FU);
  }
  return {code_point, length, true};
}

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

// Characters that hide or reorder their neighbours, so that what is seen is not what is there.
bool deceives(char32_t c) {
  return (c >= 0x200B && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) || c == 0x061C ||
         c == 0xFEFF || (c >= 0xE0000 && c <= 0xE007F);
}

std::string spelled_out(char32_t c) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "[U+%04X]", static_cast<unsigned>(c));
  return text.data();
}

bool is_control(char32_t c) {
  return (c < 0x20 && c != '\n' && c != '\t') || (c >= 0x7F && c <= 0x9F);
}

// U+2400 + c for C0, U+2421 for DEL; C1 has no pictures.
std::string control_picture(char32_t c) {
  if (c >= 0x80) {
    return spelled_out(c);
  }
  const unsigned picture = c == 0x7F ? 0x21U : static_cast<unsigned>(c);
  return {'\xE2', '\x90', static_cast<char>(0x80U + picture)};
}

// Index after the escape sequence whose introducer (ESC, or a C1 control) ends at `at`; `kind` is '[' for CSI, and one
// of "]PX^_" for the string sequences. An unterminated string sequence swallows the rest, as a terminal would.
std::size_t skip_sequence(std::string_view bytes, std::size_t at, char kind) {
  if (kind == '[') {
    while (at < bytes.size() && bytes[at] >= 0x20 && bytes[at] <= 0x3F) {
      ++at;
    }
    return at < bytes.size() && bytes[at] >= 0x40 && bytes[at] <= 0x7E ? at + 1 : at;
  }
  while (at < bytes.size()) {
    if (bytes[at] == '\a') {
      return at + 1;
    }
    if (bytes[at] == '\x1B') {
      return at + 1 < bytes.size() && bytes[at + 1] == '\\' ? at + 2 : at;
    }
    const DecodedCharacter next = decode_utf8(bytes, at);
    at += next.size;
    if (next.valid && next.code_point == 0x9C) {
      return at;
    }
  }
  return at;
}

bool starts_string(char c) {
  return c == ']' || c == 'P' || c == 'X' || c == '^' || c == '_';
}

// Index after an escape sequence that begins with ESC at `at`.
std::size_t skip_escape(std::string_view bytes, std::size_t at) {
  ++at;
  if (at < bytes.size() && (bytes[at] == '[' || starts_string(bytes[at]))) {
    return skip_sequence(bytes, at + 1, bytes[at]);
  }
  while (at < bytes.size() && bytes[at] >= 0x20 && bytes[at] <= 0x2F) {
    ++at;
  }
  return at < bytes.size() && bytes[at] >= 0x30 && bytes[at] <= 0x7E ? at + 1 : at;
}

}  // namespace

bool is_utf8(std::string_view bytes) {
  for (std::size_t at = 0; at < bytes.size();) {
    const DecodedCharacter next = decode_utf8(bytes, at);
    if (!next.valid) {
      return false;
    }
    at += next.size;
  }
  return true;
}

std::string to_utf8(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  for (std::size_t at = 0; at < bytes.size();) {
    const DecodedCharacter next = decode_utf8(bytes, at);
    text += next.valid ? bytes.substr(at, next.size) : kReplacement;
    at += next.size;
  }
  return text;
}

std::string escape_html(std::string_view bytes) {
  std::string html;
  html.reserve(bytes.size() + bytes.size() / 8);
  for (std::size_t at = 0; at < bytes.size();) {
    const DecodedCharacter next = decode_utf8(bytes, at);
    const char32_t c = next.code_point;
    if (!next.valid) {
      html += kReplacement;
    } else if (c == '&') {
      html += "&amp;";
    } else if (c == '<') {
      html += "&lt;";
    } else if (c == '>') {
      html += "&gt;";
    } else if (c == '"') {
      html += "&quot;";
    } else if (c == '\'') {
      html += "&#39;";
    } else if (is_control(c)) {
      html += control_picture(c);
    } else if (deceives(c)) {
      html += spelled_out(c);
    } else {
      html += bytes.substr(at, next.size);
    }
    at += next.size;
  }
  return html;
}

std::string strip_terminal(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  for (std::size_t at = 0; at < bytes.size();) {
    const DecodedCharacter next = decode_utf8(bytes, at);
    const char32_t c = next.code_point;
    if (next.valid && c == 0x1B) {
      at = skip_escape(bytes, at);
      continue;
    }
    at += next.size;
    if (!next.valid) {
      text += kReplacement;
    } else if (c == 0x9B) {
      at = skip_sequence(bytes, at, '[');
    } else if (c == 0x90 || c == 0x98 || c == 0x9D || c == 0x9E || c == 0x9F) {
      at = skip_sequence(bytes, at, ']');
    } else if (deceives(c)) {
      text += spelled_out(c);
    } else if (!is_control(c)) {
      text += bytes.substr(at - next.size, next.size);
    }
  }
  return text;
}

nlohmann::json json_safe(std::string_view bytes) {
  if (is_utf8(bytes)) {
    return std::string(bytes);
  }
  std::string encoded((bytes.size() + 2) / 3 * 4 + 1, '\0');  // EVP_EncodeBlock writes a terminating zero
  std::string raw(bytes);
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()),
                                   reinterpret_cast<const unsigned char*>(raw.data()), static_cast<int>(raw.size()));
  encoded.resize(static_cast<std::size_t>(size));
  return {{"base64", encoded}};
}

Result<std::string> bytes_from_json(const nlohmann::json& value) {
  if (value.is_string()) {
    return value.get<std::string>();
  }
  if (!value.is_object() || value.size() != 1 || !value.contains("base64") || !value["base64"].is_string()) {
    return Error{"expected a string or {\"base64\": \"...\"}, found " + to_utf8(value.dump().substr(0, 80))};
  }
  const std::string encoded = value["base64"].get<std::string>();
  std::string bytes(encoded.size() / 4 * 3 + 3, '\0');
  const int size =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                      reinterpret_cast<const unsigned char*>(encoded.data()), static_cast<int>(encoded.size()));
  if (size < 0 || encoded.size() % 4 != 0) {
    return Error{"\"base64\" does not hold valid base64; the record was damaged or written by another program"};
  }
  std::size_t padding = 0;
  while (padding < 2 && padding < encoded.size() && encoded[encoded.size() - 1 - padding] == '=') {
    ++padding;
  }
  bytes.resize(static_cast<std::size_t>(size) - padding);
  return bytes;
}

}  // namespace plumb
