#include "tokenizer/byte_level.h"

#include <array>

namespace plumb {
namespace {

bool stands_for_itself(unsigned byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

struct Alphabet {
  std::array<unsigned, 256> letter{};  // code point of each byte's letter
  std::array<int, 512> byte{};         // by code point; -1 outside the alphabet
};

const Alphabet& alphabet() {
  static const Alphabet table = [] {
    Alphabet built;
    built.byte.fill(-1);
    unsigned next = 0x100;
    for (unsigned byte = 0; byte < 256; ++byte) {
      const unsigned letter = stands_for_itself(byte) ? byte : next++;
      built.letter[byte] = letter;
      built.byte[letter] = static_cast<int>(byte);
    }
    return built;
  }();
  return table;
}

}  // namespace

std::string byte_to_letter(std::uint8_t byte) {
  const unsigned letter = alphabet().letter[byte];
  if (letter < 0x80) {
    return std::string(1, static_cast<char>(letter));
  }
  return {static_cast<char>(0xC0U | letter >> 6), static_cast<char>(0x80U | (letter & 0x3FU))};
}

std::optional<std::string> letters_to_bytes(std::string_view letters) {
  std::string bytes;
  for (std::size_t at = 0; at < letters.size(); ++at) {
    unsigned letter = static_cast<unsigned char>(letters[at]);
    if (letter >= 0x80) {
      // Every letter of the alphabet beyond ASCII takes two bytes.
      const unsigned second = at + 1 < letters.size() ? static_cast<unsigned char>(letters[at + 1]) : 0U;
      if (letter < 0xC2 || letter > 0xC7 || (second & 0xC0U) != 0x80U) {
        return std::nullopt;
      }
      letter = (letter & 0x1FU) << 6 | (second & 0x3FU);
      ++at;
    }
    const int byte = alphabet().byte[letter];
    if (byte < 0) {
      return std::nullopt;
    }
    bytes += static_cast<char>(byte);
  }
  return bytes;
}

}  // namespace plumb
