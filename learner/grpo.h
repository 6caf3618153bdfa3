#pragma once
// One GRPO update: scored groups in, weights moved, numbers out. Sampling and judging are elsewhere; this room sees
// records only.

#include <cstdint>
#include <span>
#include <vector>

#include "core/records.h"
#include "core/thread_pool.h"
#include "learner/advantages.h"
#include "learner/grpo_loss.h"
#include "learner/optimizer.h"
#include "learner/schedule.h"
#include "policy/policy.h"

namespace plumb {

struct GrpoLearnerOptions {
  AdvantageOptions advantage;
  GrpoLossOptions loss;
  Schedule schedule;
  std::int64_t micro_batch_tokens = 1024;  // rows per forward and backward; changes memory and speed only (to rounding)
};

/// Numbers of one update; names as in metrics.jsonl.
struct GrpoStepStats {
  double policy_loss = 0;
  double kl = 0;       // mean per trained token, of the sampler from the learner
  double entropy = 0;  // mean per trained token, of the raw distribution, nats
  double ratio_max_abs_dev = 0;
  double clip_low_mean = 0;  // shares of trained tokens
  double clip_high_mean = 0;
  double advantage_mean = 0;  // over scored completions
  double advantage_std = 0;
  double grad_norm = 0;
  double learning_rate = 0;
  double frac_reward_zero_std = 0;  // share of groups that are not trained on
  std::int64_t trained_tokens = 0;   // completion tokens in the backward
  std::int64_t distinct_tokens = 0;  // of them, those that are computed: what completions of a prompt share counts once
  std::int64_t trained_groups = 0;
  bool updated = false;  // false: every group was dropped, or a gradient was not finite
};

class GrpoLearner {
 public:
  /// All outlive the learner.
  GrpoLearner(Policy& policy, Optimizer& optimizer, const GrpoLearnerOptions& options);

  /// One update on one rollout. Groups are taken in the order (prompt id, draw), whatever order they arrive in. The
  /// loss is a mean over all completion tokens of scored completions (groups without spread included), a number that is
  /// fixed before the first backward. A group without spread adds nothing to the gradient, so it is not computed; when
  /// all are such there is no update and the optimizer does not move.
  ///   step  of the schedule
  ///   temperature  > 0, that the completions were sampled with
  GrpoStepStats step(std::span<const ScoredGroup> groups, std::int64_t step, float temperature);

 private:
  // Returns how many distinct tokens it computed.
  std::int64_t run_micro_batch(std::span<const ScoredGroup* const> groups,
                               std::span<const GroupAdvantages* const> advantages, double denominator,
                               float temperature, GrpoLossSums& sums);

  Policy& policy_;
  Optimizer& optimizer_;
  GrpoLearnerOptions options_;
  ForwardTape tape_;
};

}  // namespace plumb
