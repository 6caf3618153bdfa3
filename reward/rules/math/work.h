#pragma once
// The deterministic budget of one comparison.

#include <cstdint>

namespace plumb::math {

/// Counts work in units of roughly 10 ns. Once the limit is passed every spend() fails.
class Work {
 public:
  explicit Work(std::int64_t limit) : limit_(limit) {}
  bool spend(std::int64_t units) {
    used_ += units;
    return used_ <= limit_;
  }
  [[nodiscard]] bool exhausted() const { return used_ > limit_; }
  [[nodiscard]] std::int64_t used() const { return used_; }

 private:
  std::int64_t limit_;
  std::int64_t used_ = 0;
};

}  // namespace plumb::math
