#pragma once
// The merge step of BPE over token ids.

#include <cstdint>
#include <unordered_map>
#include <vector>

namespace plumb {

/// Which adjacent tokens join, in which order, into what. Immutable once filled; const calls are thread-safe.
class MergeTable {
 public:
  /// Adds a merge of the next lower priority. A pair that is there already keeps its place.
  void add(std::int32_t left, std::int32_t right, std::int32_t merged);

  /// Applies merges to `ids` until none is left: always the one of highest priority, of equal ones the leftmost.
  /// O(n log n).
  void apply(std::vector<std::int32_t>& ids) const;

 private:
  struct Merge {
    std::int32_t rank = 0;
    std::int32_t merged = 0;
  };
  [[nodiscard]] const Merge* find(std::int32_t left, std::int32_t right) const;
  void apply_short(std::vector<std::int32_t>& ids) const;
  void apply_long(std::vector<std::int32_t>& ids) const;

  std::unordered_map<std::uint64_t, Merge> merges_;
};

}  // namespace plumb
