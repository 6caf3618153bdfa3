#pragma once
// Process supervision: what a token is worth where the steps of a completion were scored one by one.

#include <cstdint>
#include <span>
#include <vector>

#include "learner/advantages.h"

namespace plumb {

/// The scored steps of one completion of T tokens. Tokens behind the last step belong to none.
struct StepScores {
  std::vector<double> scores;      // [K] of each step, e.g. a reward model's of the completion up to its end
  std::vector<std::int64_t> ends;  // [K] one past the last token of each step; rising, in (0, T]
  std::int64_t num_tokens = 0;     // T
};

/// The advantages of a group's tokens, [G][T_i]. With R the scores of all steps of all completions, m and s their mean
/// and standard deviation,
///   A_{i,t} = sum of (r - m) / s over the steps of completion i that end at token t or after it
/// (DeepSeekMath: Shao et al., 2024, arXiv 2402.03300, section 4.1.3; ddof 1 and std_epsilon, std_floor and min_spread
/// of `options` as in group_advantages), and with kNoStd the same without s. All are 0 where the scores have no spread.
/// Sums run in index order in f64. A score that is not finite gives advantages that are not finite; another kind, and
/// ends that do not rise or lie outside the tokens, are a programmer error.
std::vector<std::vector<float>> step_advantages(std::span<const StepScores> group, const AdvantageOptions& options);

}  // namespace plumb
