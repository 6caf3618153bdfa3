#include "learner/grpo_loss.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"

namespace plumb {

void GrpoLossSums::add(const GrpoLossSums& other) {
  loss += other.loss;
  kl += other.kl;
  entropy += other.entropy;
  max_ratio_deviation = std::max(max_ratio_deviation, other.max_ratio_deviation);
  clipped_low += other.clipped_low;
  clipped_high += other.clipped_high;
  num_tokens += other.num_tokens;
}

GrpoLossSums grpo_loss(std::span<const float> new_log_probs, std::span<const float> old_log_probs,
                       std::span<const float> advantages, std::span<const float> entropies, double denominator,
                       const GrpoLossOptions& options, std::span<float> d_log_probs) {
  const std::size_t count = new_log_probs.size();
  PLUMB_CHECK(old_log_probs.size() == count && advantages.size() == count && entropies.size() == count &&
                  d_log_probs.size() == count && denominator > 0,
              "grpo_loss: sizes differ or the denominator is not positive");
  GrpoLossSums sums;
  sums.num_tokens = static_cast<std::int64_t>(count);
  const double low = 1.0 - static_cast<double>(options.clip_low);
  const double high = 1.0 + static_cast<double>(options.clip_high);
  for (std::size_t t = 0; t < count; ++t) {
    const double difference = static_cast<double>(new_log_probs[t]) - static_cast<double>(old_log_probs[t]);
    const double ratio = std::exp(difference);
    const double advantage = static_cast<double>(advantages[t]);
    const double unclipped = ratio * advantage;
    const double clipped = std::clamp(ratio, low, high) * advantage;
    const bool clip_rules = clipped < unclipped;
    sums.loss -= std::min(unclipped, clipped) / denominator;
    sums.kl += std::exp(-difference) - 1.0 + difference;
    sums.entropy += static_cast<double>(entropies[t]);
    sums.max_ratio_deviation = std::max(sums.max_ratio_deviation, std::abs(ratio - 1.0));
    sums.clipped_low += (clip_rules && ratio < low) ? 1 : 0;
    sums.clipped_high += (clip_rules && ratio > high) ? 1 : 0;
    d_log_probs[t] = clip_rules ? 0.0F : static_cast<float>(-unclipped / denominator);
  }
  return sums;
}

}  // namespace plumb
