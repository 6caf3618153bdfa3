#pragma once
// The clipped policy-gradient loss of one optimizer batch, and its derivative by each token's log-prob.

#include <cstdint>
#include <span>
#include <vector>

namespace plumb {

struct GrpoLossOptions {
  float clip_low = 0.2F;   // ratio below 1 - clip_low is clipped where the advantage is negative
  float clip_high = 0.2F;  // ratio above 1 + clip_high is clipped where the advantage is positive
};

/// Sums over tokens; divide by the batch's denominator for means.
struct GrpoLossSums {
  double loss = 0;
  double kl = 0;  // of the sampler from the learner, estimator k3: exp(d) - 1 - d with d = old - new
  double entropy = 0;
  double max_ratio_deviation = 0;  // max |ratio - 1|
  std::int64_t clipped_low = 0;    // tokens at which the clipped branch is active
  std::int64_t clipped_high = 0;
  std::int64_t num_tokens = 0;

  void add(const GrpoLossSums& other);
};

/// For each token t with ratio r_t = exp(new_t - old_t) and advantage A_t the PPO objective (Schulman et al. 2017,
/// arXiv 1707.06347, eq. 7) gives loss_t = -min(r_t A_t, clip(r_t, 1 - low, 1 + high) A_t) / denominator.
///   new_log_probs, old_log_probs, advantages  [R] in; advantages are per token
///   entropies                                 [R] in, for the sums only
///   denominator                               > 0: tokens of the whole optimizer batch, fixed before the first
///   backward d_log_probs                               [R] out (=): d(sum of loss) / d(new_t); 0 where the clipped
///   branch rules
GrpoLossSums grpo_loss(std::span<const float> new_log_probs, std::span<const float> old_log_probs,
                       std::span<const float> advantages, std::span<const float> entropies, double denominator,
                       const GrpoLossOptions& options, std::span<float> d_log_probs);

}  // namespace plumb
