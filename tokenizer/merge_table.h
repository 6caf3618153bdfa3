#pragma once
// The merge step of BPE over token ids.

#include <cstddef>
#include <cstdint>
#include <vector>

namespace plumb {

/// Which adjacent tokens join, in which order, into what. Immutable once filled; const calls are thread-safe.
class MergeTable {
 public:
  MergeTable() : slots_(16) {}
  void reserve(std::size_t count);
  /// Adds a merge of the next lower priority. A pair that is there already gets the new place, as in `tokenizers`.
  void add(std::int32_t left, std::int32_t right, std::int32_t merged);

  /// Applies merges to `ids` from index `first` on until none is left: always the one of highest priority, of equal
  /// ones the leftmost. O(n log n).
  void apply(std::vector<std::int32_t>& ids, std::size_t first = 0) const;

 private:
  struct Slot {
    std::uint64_t pair = kEmpty;
    std::int32_t rank = 0;
    std::int32_t merged = 0;
  };
  static constexpr std::uint64_t kEmpty = ~std::uint64_t{0};  // no pair of ids, which are not negative

  [[nodiscard]] std::size_t place(std::uint64_t pair) const;
  [[nodiscard]] const Slot* find(std::int32_t left, std::int32_t right) const;
  void apply_short(std::vector<std::int32_t>& ids, std::size_t first) const;
  void apply_long(std::vector<std::int32_t>& ids, std::size_t first) const;

  std::vector<Slot> slots_;  // open addressing, a power of two, at most half full
  std::size_t size_ = 0;
  std::int32_t next_rank_ = 0;
};

}  // namespace plumb
