#pragma once
// What a completion that was judged is as training data: right, wrong, or right to a share.

#include <cstdint>
#include <optional>

#include "eval/samples.h"

namespace plumb {

/// Right, by the graded tests and by the audit suite where that was asked. What was cut off all the same is nothing to
/// imitate, for it does not end, and no example of a failure.
enum class Side : std::uint8_t { kRight, kWrong, kNeither };

Side side_of(const SampleRecord& sample);

/// The share of its tests that a completion passes, cut off or not, as GRPO rewards it; of what has no tests, and of
/// all with `verdicts`, its verdict. Nothing where judging stopped at the first test that failed.
std::optional<double> pass_rate_of(const SampleRecord& sample, bool verdicts);

}  // namespace plumb
