#include "tokenizer/word_table.h"

#include <algorithm>
#include <bit>

namespace plumb {
namespace {

constexpr std::size_t kHead = 8;

std::uint64_t mix(std::uint64_t value) {
  value *= 0x9E3779B97F4A7C15U;
  return value ^ value >> 32;
}

}  // namespace

WordTable::WordTable(std::size_t capacity) : slots_(std::bit_ceil(2 * capacity + 2)) {}

std::uint64_t WordTable::head_of(std::string_view text) {
  std::uint64_t head = 0;
  if (text.size() >= kHead) {
    std::memcpy(&head, text.data(), kHead);
    return head;
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    head |= static_cast<std::uint64_t>(static_cast<unsigned char>(text[i])) << (8 * i);
  }
  return head;
}

// Where `text` stands or would stand.
std::size_t WordTable::place(std::string_view text) const {
  const std::uint64_t head = head_of(text);
  const std::string_view rest = text.substr(std::min(kHead, text.size()));
  std::uint64_t hash = mix(head + text.size());
  for (std::size_t at = 0; at < rest.size(); at += kHead) {
    hash = mix(hash ^ head_of(rest.substr(at)));
  }
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = hash & mask;; at = (at + 1) & mask) {
    const Slot& slot = slots_[at];
    if (slot.id < 0 || (slot.head == head && slot.size == text.size() &&
                        std::string_view(rests_).substr(slot.rest, rest.size()) == rest)) {
      return at;
    }
  }
}

void WordTable::add(std::string_view text, std::int32_t id) {
  slots_[place(text)] = {head_of(text), static_cast<std::uint32_t>(text.size()), id,
                         static_cast<std::uint32_t>(rests_.size())};
  rests_ += text.substr(std::min(kHead, text.size()));
}

}  // namespace plumb
