#pragma once
// What users are told of updates that changed nothing.

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <string>

#include "core/result.h"
#include "learner/skipped_updates.h"

namespace plumb {

/// That training stops: its gradients have not been finite too many times.
inline std::string too_many_skipped() {
  return fmt::format("more than {} updates in a row had a gradient that is not finite", kMaxSkippedInARow);
}

/// Counts a step that is one update. A note for the user where it was skipped, else an empty text. Errors: one more in
/// a row than kMaxSkippedInARow.
inline Result<std::string> count_update(SkippedUpdates& skipped, const std::string& stage, std::int64_t step,
                                        double grad_norm) {
  skipped.count(std::isfinite(grad_norm));
  if (skipped.too_many()) {
    return Error{fmt::format("{}: {}, the last at step {}; lower the learning rate", stage, too_many_skipped(), step)};
  }
  return skipped.in_a_row() == 0 ? std::string()
                                 : fmt::format("note: step {} changed nothing: its gradient is not finite", step);
}

}  // namespace plumb
