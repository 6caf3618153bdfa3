#include "apps/plumb/sample_outcome.h"

#include <algorithm>

namespace plumb {
namespace {

// Whether all graded tests were run, whatever became of the first: some part asked how many pass (needs_all_tests).
bool all_tests_ran(const SampleRecord& sample) {
  return std::ranges::any_of(sample.parts, [](const ScorePart& part) {
    return part.name == "fraction" || part.name == "ran" || part.name == "near_miss";
  });
}

}  // namespace

Side side_of(const SampleRecord& sample) {
  if (!is_solved(sample) || sample.audit == 0) {
    return Side::kWrong;
  }
  return sample.finish == "length" ? Side::kNeither : Side::kRight;
}

std::optional<double> pass_rate_of(const SampleRecord& sample, bool verdicts) {
  const bool solved = is_solved(sample);
  if (solved || verdicts || sample.verdict == "CE") {
    return solved ? 1 : 0;
  }
  if (sample.verdict.empty()) {  // no code block, or no code task: its first part is the verdict
    return sample.parts.empty() ? 0 : std::clamp(sample.parts.front().value, 0.0, 1.0);
  }
  if (sample.tests > 0 && all_tests_ran(sample)) {
    return static_cast<double>(sample.passed) / sample.tests;
  }
  return std::nullopt;
}

}  // namespace plumb
