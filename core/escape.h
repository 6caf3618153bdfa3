#pragma once
// The one door through which hostile bytes (completions, compiler output, anything a judged program printed) reach
// people: HTML, a terminal, JSON. What is invisible or dangerous is made visible, never passed on.

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "core/result.h"

namespace plumb {

/// Whether `bytes` are well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms, at most U+10FFFF).
bool is_utf8(std::string_view bytes);

/// A character of UTF-8, or the maximal ill-formed part in its place.
struct DecodedCharacter {
  char32_t code_point = 0;
  std::size_t size = 1;  // bytes
  bool valid = false;
};
/// What begins at byte `at` < bytes.size().
DecodedCharacter decode_utf8(std::string_view bytes, std::size_t at);

/// `bytes` with each maximal ill-formed part replaced by U+FFFD, as browsers do. Linear time.
std::string to_utf8(std::string_view bytes);

/// Text safe in HTML element content and in quoted attributes: & < > " ' become entities, ill-formed UTF-8 becomes
/// U+FFFD, control characters other than \n and \t become their pictures (U+2400 and on), and characters that reorder
/// or hide text (bidirectional controls, zero-width, line separators) are written out as [U+202E].
std::string escape_html(std::string_view bytes);

/// Text safe on a terminal: escape sequences (CSI, OSC, DCS and their kin, 7-bit and 8-bit) are removed, as are control
/// characters other than \n and \t; ill-formed UTF-8 becomes U+FFFD; reordering characters are written as [U+202E].
std::string strip_terminal(std::string_view bytes);

/// A JSON string where `bytes` are UTF-8, else {"base64": "..."}: nothing is lost either way.
nlohmann::json json_safe(std::string_view bytes);

/// The bytes that json_safe was given. Errors: `value` is neither a string nor {"base64": valid base64}.
Result<std::string> bytes_from_json(const nlohmann::json& value);

}  // namespace plumb
