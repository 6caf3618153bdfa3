#pragma once
// Group-relative advantages (GRPO: Shao et al., "DeepSeekMath", 2024, arXiv 2402.03300, section 4.1).

#include <optional>
#include <span>
#include <vector>

namespace plumb {

struct AdvantageOptions {
  bool scale_by_std = true;   // divide by the group's standard deviation (ddof 1); false is Dr. GRPO's form
  float std_epsilon = 1e-4F;  // added to the standard deviation
  float min_spread = 0.0F;    // a group whose max - min reward is at most this has no spread
};

/// What one group's rewards say.
struct GroupAdvantages {
  std::vector<float> advantages;  // [G]; 0 for unscored completions and for a group without spread
  int num_scored = 0;
  double mean = 0;  // over scored completions
  double std = 0;   // ddof 1; 0 for fewer than two scored
  bool has_spread = false;
};

/// A_i = (r_i - mean) / (std + epsilon) over the scored completions. A missing reward (our own fault) takes no part in
/// mean and std and gets advantage 0; fewer than two scored completions have no spread. Sums run in index order in f64.
GroupAdvantages group_advantages(std::span<const std::optional<double>> rewards, const AdvantageOptions& options);

}  // namespace plumb
