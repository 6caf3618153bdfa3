#include "tokenizer/utf8.h"

#include <algorithm>

namespace plumb {

Utf8Step utf8_step(std::string_view bytes) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const unsigned first = byte(0);
  if (first < 0x80) {
    return {Utf8Kind::kCharacter, 1};
  }
  const std::size_t length = first >= 0xC2 && first <= 0xDF   ? 2
                             : first >= 0xE0 && first <= 0xEF ? 3
                             : first >= 0xF0 && first <= 0xF4 ? 4
                                                              : 0;
  if (length == 0) {
    return {Utf8Kind::kIllFormed, 1};
  }
  for (std::size_t i = 1; i < std::min(length, bytes.size()); ++i) {
    // The second byte's range depends on the first: that excludes overlong forms, surrogates and what is too large.
    const unsigned low = i > 1 ? 0x80 : first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    const unsigned high = i > 1 ? 0xBF : first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    if (byte(i) < low || byte(i) > high) {
      return {Utf8Kind::kIllFormed, i};
    }
  }
  return length <= bytes.size() ? Utf8Step{Utf8Kind::kCharacter, length} : Utf8Step{Utf8Kind::kCut, bytes.size()};
}

}  // namespace plumb
