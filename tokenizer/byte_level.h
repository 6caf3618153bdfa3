#pragma once
// The byte-level alphabet: the 256 characters that byte-level BPE spells bytes with. Printable Latin-1 stands for
// itself, the other bytes for U+0100 and on, in order.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace plumb {

/// The character for `byte`, in UTF-8.
std::string byte_to_letter(std::uint8_t byte);

/// The bytes that `letters` spell; nothing if a character is outside the alphabet.
std::optional<std::string> letters_to_bytes(std::string_view letters);

}  // namespace plumb
