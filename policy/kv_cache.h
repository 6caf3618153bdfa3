#pragma once
// Keys and values of sequences in fixed-size pages. A page covers fixed absolute positions, so a forked sequence shares
// every full page of its parent and copies at most one.

#include <cstdint>

namespace plumb {

using SequenceId = std::int32_t;

class KvCache {
 public:
  virtual ~KvCache() = default;
  /// A new empty sequence.
  virtual SequenceId add_sequence() = 0;
  /// A new sequence with the first `num_tokens` tokens of `parent`: full pages are shared, a partial one is copied.
  virtual SequenceId fork(SequenceId parent, std::int64_t num_tokens) = 0;
  /// The same with all tokens of `parent` so far.
  SequenceId fork(SequenceId parent) { return fork(parent, length(parent)); }
  /// Forgets a sequence; pages that nobody else holds are free again.
  virtual void remove(SequenceId sequence) = 0;
  [[nodiscard]] virtual std::int64_t length(SequenceId sequence) const = 0;
  /// Bytes of pages in use and the budget.
  [[nodiscard]] virtual std::int64_t used_bytes() const = 0;
  [[nodiscard]] virtual std::int64_t budget_bytes() const = 0;
  /// Positions of a page: what is allocated at once.
  [[nodiscard]] virtual std::int64_t page_tokens() const = 0;
  /// Pages that could still be allocated, in tokens of one sequence.
  [[nodiscard]] virtual std::int64_t free_tokens() const = 0;
};

}  // namespace plumb
