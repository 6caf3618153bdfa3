#include "learner/advantages.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace plumb {

GroupAdvantages group_advantages(std::span<const std::optional<double>> rewards, const AdvantageOptions& options) {
  GroupAdvantages result;
  result.advantages.assign(rewards.size(), 0.0F);
  double sum = 0;
  double lowest = std::numeric_limits<double>::infinity();
  double highest = -lowest;
  for (const auto& reward : rewards) {
    if (reward) {
      ++result.num_scored;
      sum += *reward;
      lowest = std::min(lowest, *reward);
      highest = std::max(highest, *reward);
    }
  }
  if (result.num_scored == 0) {
    return result;
  }
  result.mean = sum / result.num_scored;
  if (result.num_scored < 2) {
    return result;
  }
  double squares = 0;
  for (const auto& reward : rewards) {
    if (reward) {
      squares += (*reward - result.mean) * (*reward - result.mean);
    }
  }
  result.std = std::sqrt(squares / (result.num_scored - 1));
  result.has_spread = highest - lowest > static_cast<double>(options.min_spread);
  if (!result.has_spread) {
    return result;
  }
  const double scale = options.scale_by_std ? 1.0 / (result.std + static_cast<double>(options.std_epsilon)) : 1.0;
  for (std::size_t i = 0; i < rewards.size(); ++i) {
    if (rewards[i]) {
      result.advantages[i] = static_cast<float>((*rewards[i] - result.mean) * scale);
    }
  }
  return result;
}

}  // namespace plumb
