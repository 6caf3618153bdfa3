#pragma once
// Everything that shapes a GRPO update, as one struct of parts that compose, and the combinations that do not.

#include <cstdint>

#include "core/result.h"
#include "learner/advantages.h"
#include "learner/aggregation.h"
#include "learner/grpo_loss.h"
#include "learner/importance.h"
#include "learner/router_loss.h"
#include "learner/schedule.h"

namespace plumb {

/// What becomes of a group whose scores are all equal.
enum class ZeroSpread : std::uint8_t {
  kKeep,         // computed like any other: needed where a divergence or entropy term is in the loss
  kSkipCompute,  // not computed where its policy gradient is 0; a divergence or length penalty in its reward may give
                 // it one (learner/advantages.h), and then it is computed
  kRefill,       // not trained on, and the caller draws other prompts in its place: what a length penalty alone would
                 // teach is dropped with it. Dynamic sampling, DAPO: arXiv 2503.14476
};

/// Entropy bonus whose coefficient follows a target: c rises by `step` after an update with entropy below `target` and
/// falls by it after one above, within [0, max]. Skywork-OR1: He et al., 2025, arXiv 2505.22312 (which also turns the
/// bonus off at once above the target; here it runs out).
struct EntropyTarget {
  float target = 0;  // nats; 0: the coefficient stays as it is
  float step = 1e-3F;
  float max = 1e-2F;
};

/// A penalty for nearing the limit: 0 up to max - zone tokens, then falling linearly to -weight at max. DAPO: arXiv
/// 2503.14476, eq. 13.
struct OverlongPenalty {
  std::int64_t zone = 0;  // tokens; 0: none
  float weight = 1;
};

/// Process supervision: a token's advantage is what step_advantages() makes of the scored steps (Score::steps) plus
/// `outcome_weight` times the completion's own advantage. DeepSeekMath: arXiv 2402.03300, section 4.1.3, has weight 0.
struct ProcessSupervision {
  bool on = false;
  float outcome_weight = 1;
};

struct GrpoLearnerOptions {
  AdvantageOptions advantage;
  ProcessSupervision process;
  GrpoLossOptions loss;
  Aggregation aggregation = Aggregation::kTokenMean;
  bool count_contributing_only = false;    // denominators leave out completions of groups that are not trained on
  std::int64_t max_completion_tokens = 1;  // of the sampler: for kConstantLength and the overlong penalty
  ZeroSpread zero_spread = ZeroSpread::kSkipCompute;
  OldPolicy old_policy = OldPolicy::kCoupled;
  Importance importance = Importance::kNone;
  float importance_cap = 2;
  float kl_reward_coefficient = 0;  // beta of the estimator k1 in the reward: r_i - beta sum_t (log mu - log pi_ref)
  bool filter_overlong = false;     // truncated completions count in the baseline and are out of the loss
  OverlongPenalty overlong;
  float high_entropy_share = 1;  // of the tokens that the policy term is on, those of highest entropy. Wang et al.,
                                 // 2025, arXiv 2506.01939
  EntropyTarget entropy_target;
  RouterLossOptions router;  // of a mixture of experts
  int epochs = 1;            // passes over a rollout
  int mini_batches = 1;      // updates a pass; the k-th group that is trained on is in mini-batch k mod mini_batches
  Schedule schedule;
  std::int64_t micro_batch_tokens = 1024;  // rows per forward and backward; changes memory and speed only (to rounding)

  [[nodiscard]] bool needs_reference() const { return loss.kl != KlLoss::kNone || kl_reward_coefficient != 0; }
};

/// How completions were sampled, as far as the loss's assumptions go.
struct SamplingFacts {
  float temperature = 1;
  bool truncated = false;  // top-k, top-p, min-p or typical-p leaves tokens out
  bool has_reference = false;
};

/// Refuses combinations that would compute something else than they say, each with its reason and the key to change.
Result<void> check_options(const GrpoLearnerOptions& options, const SamplingFacts& sampling);

/// The penalty (<= 0) of a completion of `tokens` tokens.
double overlong_penalty(std::int64_t tokens, const GrpoLearnerOptions& options);

/// The coefficient after an update with mean entropy `entropy`; `coefficient` where there is no target.
float next_entropy_coefficient(float coefficient, double entropy, const EntropyTarget& target);

}  // namespace plumb
