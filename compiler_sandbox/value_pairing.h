#pragma once
// Which of the elements that were given is which of those that were expected.

#include <cstdint>
#include <functional>
#include <vector>

#include "compiler_sandbox/value_fingerprint.h"

namespace plumb {

/// What a comparison may still cost, in about as many elementary comparisons.
class Budget {
 public:
  explicit Budget(std::uint64_t units) : left_(units) {}
  /// False, now and from then on, where less is left.
  bool spend(std::uint64_t units) {
    left_ = units <= left_ ? left_ - units : 0;
    return left_ > 0;
  }

 private:
  std::uint64_t left_;
};

/// Whether each given element has an expected one of its own that `equal(given, expected)` holds for: places in the two
/// lists, which are of the same size. Asked only of those whose fingerprints allow it: where no two expected elements
/// are nearly equal that is once for each. False, too, where the budget does not suffice.
bool can_pair_off(const std::vector<Fingerprint>& given, const std::vector<Fingerprint>& expected,
                  const std::function<bool(std::size_t, std::size_t)>& equal, Budget& budget);

}  // namespace plumb
