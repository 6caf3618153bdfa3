#pragma once
// The length of UTF-8 characters, well-formed or not.

#include <cstddef>
#include <string_view>

namespace plumb {

/// What stands at the start of some bytes: a whole character, the beginning of one that the bytes cut off, or bytes
/// that no character starts with.
enum class Utf8Kind { kCharacter, kCut, kIllFormed };

struct Utf8Step {
  Utf8Kind kind = Utf8Kind::kCharacter;
  std::size_t size = 1;  // in bytes: of the character, of what is there of it, or of the ill-formed part
};

/// Reads one step (RFC 3629: no surrogates, no overlong forms, at most U+10FFFF). `bytes` is not empty.
Utf8Step utf8_step(std::string_view bytes);

}  // namespace plumb
