#pragma once
// A rollout as the learner computes it: which completions are trained on, with what advantage and denominator.

#include <cstdint>
#include <span>
#include <vector>

#include "core/records.h"
#include "learner/batching.h"
#include "learner/grpo_options.h"

namespace plumb {

/// One completion on its way through an update. Per-token vectors are [T], or empty where no option asks for them.
struct TrainedCompletion {
  const Completion* completion = nullptr;
  const Score* score = nullptr;
  double reward = 0;    // with shaping and divergence
  float advantage = 0;  // where tokens have their own, the mean of those
  double denominator = 1;
  std::vector<float> token_advantages;     // with process supervision
  std::vector<float> reference_log_probs;  // raw
  std::vector<float> raw_log_probs;        // at the start of the update, where those sampled are not raw
  std::vector<float> prox_log_probs;       // at the start of the update
  std::vector<float> entropies;            // at the start of the update
  std::vector<float> importance;
  std::vector<std::uint8_t> policy_mask;

  [[nodiscard]] std::int64_t num_tokens() const { return static_cast<std::int64_t>(completion->token_ids.size()); }
};

/// The scored completions of a group.
struct TrainedGroup {
  const ScoredGroup* scored = nullptr;
  std::vector<TrainedCompletion> completions;
  bool has_spread = false;

  [[nodiscard]] SharedPromptSequences sequences() const;
};

/// The groups in the order (prompt id, draw), each with its scored completions in index order.
std::vector<TrainedGroup> trained_groups(std::span<const ScoredGroup> groups);

/// Means over scored completions, for the metrics.
struct AdvantageSummary {
  double mean = 0;
  double std = 0;  // ddof 1
  std::int64_t groups_with_spread = 0;
  double divergence = 0;  // k1 from the reference, mean per token; where it is in the reward
};

/// Rewards (score, overlong penalty, divergence k1 where reference log-probs are there) and advantages of all groups,
/// with process supervision of each token: what is said of advantages then is of a completion's mean, and a group has
/// some where some token has. Then takes out what is not in the loss: overlong completions with filter_overlong, groups
/// without advantages unless they are kept, and groups that are left with fewer than two scored completions (but for
/// kReinforcePp); and gives every completion that stays its denominator, per mini-batch.
AdvantageSummary prepare_update(std::vector<TrainedGroup>& groups, const GrpoLearnerOptions& options);

/// Whether the rewards of a group (overlong penalty included, a divergence not) differ enough to teach; with process
/// supervision, whether the scores of its steps do, or its rewards where they have a weight.
bool has_spread(const ScoredGroup& group, const GrpoLearnerOptions& options);

/// The smallest entropy of the `share` of tokens that have the highest: the (1 - share) quantile, linearly
/// interpolated.
double entropy_threshold(std::vector<float> entropies, double share);

}  // namespace plumb
