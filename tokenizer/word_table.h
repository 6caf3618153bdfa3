#pragma once
// Pieces of text that are one token.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace plumb {

/// Text to id, by open addressing. Immutable once filled; const calls are thread-safe.
class WordTable {
 public:
  explicit WordTable(std::size_t capacity = 0);

  /// `text` is not there yet, and no more texts than the capacity are added.
  void add(std::string_view text, std::int32_t id);
  /// The id of `text`, -1 if it is not there.
  [[nodiscard]] std::int32_t find(std::string_view text) const {
    const Slot& slot = slots_[place(text)];
    return slot.id;
  }

 private:
  struct Slot {
    std::uint64_t head = 0;  // the first eight bytes, zeros behind shorter text
    std::uint32_t size = 0;
    std::int32_t id = -1;    // -1: empty
    std::uint32_t rest = 0;  // where the bytes from the ninth on stand in rests_
  };

  static std::uint64_t head_of(std::string_view text);
  [[nodiscard]] std::size_t place(std::string_view text) const;

  std::vector<Slot> slots_;  // a power of two, at most half full
  std::string rests_;
};

}  // namespace plumb
