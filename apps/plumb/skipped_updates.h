#pragma once
// Updates that changed nothing because their gradient was not finite though the loss was.

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <string>

#include "core/result.h"

namespace plumb {

/// One odd batch may do that. More in a row will go on: the run stops.
constexpr int kMaxSkippedInARow = 3;

/// Of a stage whose steps are one update each. Counts from a resume on.
class SkippedUpdates {
 public:
  /// A note for the user where the step was skipped, else an empty text. Errors: one more than kMaxSkippedInARow.
  Result<std::string> after_step(const std::string& stage, std::int64_t step, double grad_norm) {
    in_a_row_ = std::isfinite(grad_norm) ? 0 : in_a_row_ + 1;
    if (in_a_row_ > kMaxSkippedInARow) {
      return Error{
          fmt::format("{}: more than {} updates in a row had a gradient that is not finite, the last at step {}; "
                      "lower the learning rate",
                      stage, kMaxSkippedInARow, step)};
    }
    return in_a_row_ == 0 ? std::string()
                          : fmt::format("note: step {} changed nothing: its gradient is not finite", step);
  }

 private:
  int in_a_row_ = 0;
};

}  // namespace plumb
