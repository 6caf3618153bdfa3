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
  /// A new sequence with the tokens of `parent` so far: full pages are shared, the last partial one is copied.
  virtual SequenceId fork(SequenceId parent) = 0;
  /// Forgets a sequence; pages that nobody else holds are free again.
  virtual void remove(SequenceId sequence) = 0;
  [[nodiscard]] virtual std::int64_t length(SequenceId sequence) const = 0;
  /// Bytes of pages in use and the budget.
  [[nodiscard]] virtual std::int64_t used_bytes() const = 0;
  [[nodiscard]] virtual std::int64_t budget_bytes() const = 0;
  /// Pages that could still be allocated, in tokens of one sequence.
  [[nodiscard]] virtual std::int64_t free_tokens() const = 0;
};

}  // namespace plumb
