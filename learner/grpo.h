#pragma once
// One GRPO update: scored groups in, weights moved, numbers out. Sampling and judging are elsewhere; this room sees
// records only.

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/records.h"
#include "learner/grpo_arrays.h"
#include "learner/grpo_batch.h"
#include "learner/grpo_loss.h"
#include "learner/grpo_options.h"
#include "learner/optimizer.h"
#include "learner/router_loss.h"
#include "learner/skipped_updates.h"
#include "policy/policy.h"

namespace plumb {

/// What a step put through the model. Rows are tokens of prompts and completions, targets the distinct next tokens that
/// the head was asked for; what completions share counts once (learner/batching.h).
struct LearnerWork {
  std::int64_t trained_rows = 0;  // forward and backward, over all passes
  std::int64_t trained_targets = 0;
  std::int64_t scored_rows = 0;  // forward alone: reference, start of the update, router loads
  std::int64_t scored_targets = 0;
};

/// Numbers of one step; names as in metrics.jsonl. Means are over the tokens of all updates of the step.
struct GrpoStepStats {
  double policy_loss = 0;  // all terms of the loss; mean over updates
  double kl = 0;           // mean per trained token, KL(old || learner): old is who sampled, or pi_prox where decoupled
  double reference_kl = 0;       // mean per trained token, of the learner from the reference, by the chosen estimator
  double entropy = 0;            // mean per trained token, of the raw distribution, nats
  double ratio_max_abs_dev = 0;  // in the first update: 0 on-policy
  bool exact_actor = true;
  double actor_difference_max = 0;   // |log-prob - the actor's|, likewise, where the actor is not exact
  double actor_difference_mean = 0;  // over its tokens
  double clip_low_mean = 0;          // shares of trained tokens
  double clip_high_mean = 0;
  double advantage_mean = 0;  // over scored completions
  double advantage_std = 0;
  double grad_norm = 0;  // before clipping; mean over updates
  double learning_rate = 0;
  double frac_reward_zero_std = 0;  // share of groups whose scores do not differ
  double staleness_max = 0;         // versions between the oldest trained token and the learner
  double staleness_mean = 0;        // over trained tokens
  std::int64_t trained_tokens = 0;  // completion tokens in the backward, over all passes
  LearnerWork work;
  std::int64_t trained_groups = 0;
  int num_updates = 0;         // that moved the weights
  int skipped_updates = 0;     // whose gradient was not finite though the loss was
  bool gave_up = false;        // they were too many in a row (SkippedUpdates); no more were tried
  bool updated = false;        // num_updates > 0; false: every group was dropped, or no gradient was finite
  bool has_reference = false;  // reference_kl is there
  RouterSummary router;        // of the rows of all updates, where the model has experts
  /// Of each group that was given, of each completion: NaN where it is not in the loss.
  std::vector<std::vector<float>> advantages;
  /// With process supervision, likewise, of each token: none where it is not in the loss.
  std::vector<std::vector<std::vector<float>>> token_advantages;
  bool finite = true;  // false: a loss, reward or log-prob was not finite; nothing was changed from there on
};

class GrpoLearner {
 public:
  /// All outlive the learner. `options` must have passed check_options(); `reference` is the policy that a divergence
  /// is to, where the options ask for one.
  GrpoLearner(Policy& policy, Optimizer& optimizer, const GrpoLearnerOptions& options, Policy* reference = nullptr);

  /// All updates on one rollout: epochs x mini_batches. Groups are taken in the order (prompt id, draw), whatever order
  /// they arrive in. Denominators are fixed before the first backward. By default the loss is a mean over all
  /// completion tokens of scored completions, groups without advantages included; such a group adds nothing to the
  /// gradient, so it is not computed. When nothing is left to train on there is no update and the optimizer does not
  /// move.
  ///   step  of the schedule
  ///   temperature  > 0, that the completions were sampled with
  GrpoStepStats step(std::span<const ScoredGroup> groups, std::int64_t step, float temperature);

  /// The entropy bonus as the target has moved it; a checkpoint keeps it.
  [[nodiscard]] float entropy_coefficient() const { return options_.loss.entropy_coefficient; }
  void set_entropy_coefficient(float coefficient) { options_.loss.entropy_coefficient = coefficient; }
  /// Updates without effect up to the last one; a checkpoint keeps it.
  [[nodiscard]] int skipped_in_a_row() const { return skipped_.in_a_row(); }
  void set_skipped_in_a_row(int count) { skipped_ = SkippedUpdates(count); }

 private:
  void score_reference(std::vector<TrainedGroup>& groups);
  void score_start(std::vector<TrainedGroup>& groups, float temperature);
  void correct_and_mask(std::vector<TrainedGroup>& groups);
  void fix_router_loss(const GroupBatch& mini_batch, float temperature, GrpoLossSums& sums);
  bool run_update(const GroupBatch& mini_batch, float temperature, GrpoLossSums& sums);
  GrpoLossSums run_micro_batch(const GroupBatch& groups, float temperature);

  Policy& policy_;
  Optimizer& optimizer_;
  GrpoLearnerOptions options_;
  Policy* reference_;
  SkippedUpdates skipped_;
  bool sampled_otherwise_ = false;  // the step's tokens: temperature or truncation
  ForwardTape tape_;
  LearnerWork work_;                      // of the step
  std::optional<RouterTallies> tallies_;  // of the step
  RouterGradient router_gradient_;        // of the update
};

}  // namespace plumb
