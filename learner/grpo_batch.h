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
  bool has_spread = false;  // of scores, or of its steps
  bool trained = true;      // false: no gradient is computed
  int mini_batch = 0;       // that it is trained in, or counted in

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

/// Advantages of all groups, from scores and shaping (length penalty, divergence k1 where reference log-probs are
/// there), and with process supervision of each token: what is said of advantages then is of a completion's mean. Then
/// takes out overlong completions with filter_overlong; and decides which groups are trained on: those with two scored
/// completions (kReinforcePp: one) of which one that is left has an advantage, or all of them where they are kept; with
/// kRefill, which puts other groups in their place, only groups whose scores or steps differ. The others stay as far as
/// denominators count them, and else are left without completions.
///
/// Groups that are trained on are dealt out to the mini-batches one by one in order, so that these are even, and the
/// others after them. Every completion that stays gets its denominator, of its mini-batch.
AdvantageSummary prepare_update(std::vector<TrainedGroup>& groups, const GrpoLearnerOptions& options);

/// Whether an update with kRefill would train on this group: its scores (shaping aside) or, with process supervision,
/// those of its steps differ, where they have a weight, and not all of its completions are filtered.
bool has_spread(const ScoredGroup& group, const GrpoLearnerOptions& options);

/// The smallest entropy of the `share` of tokens that have the highest: the (1 - share) quantile, linearly
/// interpolated.
double entropy_threshold(std::vector<float> entropies, double share);

}  // namespace plumb
