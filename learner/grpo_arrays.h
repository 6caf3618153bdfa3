#pragma once
// Groups on their way through an update, as the policy and the loss take them: packed, and as flat arrays by token.

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "learner/batching.h"
#include "learner/grpo_batch.h"
#include "learner/grpo_loss.h"

namespace plumb {

using GroupBatch = std::vector<TrainedGroup*>;

template <typename T>
void append(std::vector<T>& all, const std::vector<T>& more) {
  all.insert(all.end(), more.begin(), more.end());
}

GroupBatch all_groups(std::vector<TrainedGroup>& groups);
GroupBatch groups_trained_on(std::vector<TrainedGroup>& groups);

/// The tokens of some groups as the policy takes them. Kept sets without ids have to be of the weights `version`.
PackedSequences pack_groups(const GroupBatch& groups, float temperature, std::int64_t version);

/// The same, for log-probs of the distribution as it is, without temperature or truncation.
PackedSequences pack_groups_raw(const GroupBatch& groups);

/// Calls use(part) for consecutive groups that have completions, packed to about `max_rows` rows.
void for_each_micro_batch(const GroupBatch& groups, std::int64_t max_rows,
                          const std::function<void(const GroupBatch&)>& use);

/// The flat per-token arrays of a micro-batch; owns what GrpoLossInput looks at.
struct LossArrays {
  std::vector<float> old_log_probs;
  std::vector<float> advantages;
  std::vector<float> reference_log_probs;
  std::vector<float> importance;
  std::vector<std::uint8_t> policy_mask;
  std::vector<LossSequence> sequences;
};

LossArrays gather_arrays(const GroupBatch& groups);

/// How many versions of the weights the tokens are behind.
struct Staleness {
  double max = 0;
  double mean = 0;
};

Staleness staleness_of(const GroupBatch& groups, std::int64_t version);

/// Advantages in the order and shape [groups, completions] of `given`; not a number where a completion was not trained
/// on.
std::vector<std::vector<float>> advantages_of(std::span<const TrainedGroup> groups, std::span<const ScoredGroup> given);

/// The same of tokens, [groups, completions, T]; empty where a completion was not trained on.
std::vector<std::vector<std::vector<float>>> token_advantages_of(std::span<const TrainedGroup> groups,
                                                                 std::span<const ScoredGroup> given);

}  // namespace plumb
