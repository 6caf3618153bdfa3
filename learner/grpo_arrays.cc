#include "learner/grpo_arrays.h"

#include <algorithm>
#include <limits>

#include "core/check.h"

namespace plumb {
namespace {

// What the actor drew each token from. Kept sets speak of the logits of the weights that a token was sampled with, but
// for those by id.
void append_kept(const Completion& completion, std::int64_t version, std::vector<KeptSet>& kept) {
  for (std::size_t t = 0; t < completion.kept.size(); ++t) {
    const KeptSet& set = completion.kept[t];
    PLUMB_CHECK(set.ids != nullptr || set.keeps_all() || completion.weight_versions[t] == version,
                "a kept set is of other weights than the learner's");
    kept.push_back(set);
  }
  kept.resize(kept.size() + completion.token_ids.size() - completion.kept.size());
}

// Calls use(group, place, completion) for what is trained on, by its places in `given`.
template <typename Use>
void for_each_trained(std::span<const TrainedGroup> groups, std::span<const ScoredGroup> given, const Use& use) {
  for (const TrainedGroup& group : groups) {
    for (const TrainedCompletion& trained : group.completions) {
      if (group.trained) {
        use(static_cast<std::size_t>(group.scored - given.data()),
            static_cast<std::size_t>(trained.completion - group.scored->group.completions.data()), trained);
      }
    }
  }
}

}  // namespace

PackedSequences pack_groups(const GroupBatch& groups, float temperature, std::int64_t version) {
  PackedSequences packed;
  packed.targets.temperature = temperature;
  std::vector<KeptSet> kept;
  for (const TrainedGroup* group : groups) {
    append_sequences(group->sequences(), packed);
    for (const TrainedCompletion& trained : group->completions) {
      append_kept(*trained.completion, version, kept);
    }
  }
  packed.set_kept(kept);
  return packed;
}

PackedSequences pack_groups_raw(const GroupBatch& groups) {
  PackedSequences packed;
  for (const TrainedGroup* group : groups) {
    append_sequences(group->sequences(), packed);
  }
  return packed;
}

void for_each_micro_batch(const GroupBatch& groups, std::int64_t max_rows,
                          const std::function<void(const GroupBatch&)>& use) {
  GroupBatch part;
  std::int64_t rows = 0;
  for (TrainedGroup* group : groups) {
    if (group->completions.empty()) {
      continue;
    }
    const std::int64_t more = num_rows(group->sequences());
    if (rows > 0 && rows + more > max_rows) {
      use(part);
      part.clear();
      rows = 0;
    }
    part.push_back(group);
    rows += more;
  }
  if (!part.empty()) {
    use(part);
  }
}

GroupBatch all_groups(std::vector<TrainedGroup>& groups) {
  GroupBatch all;
  for (TrainedGroup& group : groups) {
    all.push_back(&group);
  }
  return all;
}

GroupBatch groups_trained_on(std::vector<TrainedGroup>& groups) {
  GroupBatch trained = all_groups(groups);
  std::erase_if(trained, [](const TrainedGroup* group) { return !group->trained; });
  return trained;
}

std::vector<std::vector<float>> advantages_of(std::span<const TrainedGroup> groups,
                                              std::span<const ScoredGroup> given) {
  std::vector<std::vector<float>> all;
  for (const ScoredGroup& group : given) {
    all.emplace_back(group.group.completions.size(), std::numeric_limits<float>::quiet_NaN());
  }
  for_each_trained(groups, given, [&](std::size_t group, std::size_t place, const TrainedCompletion& trained) {
    all[group][place] = trained.advantage;
  });
  return all;
}

std::vector<std::vector<std::vector<float>>> token_advantages_of(std::span<const TrainedGroup> groups,
                                                                 std::span<const ScoredGroup> given) {
  std::vector<std::vector<std::vector<float>>> all;
  for (const ScoredGroup& group : given) {
    all.emplace_back(group.group.completions.size());
  }
  for_each_trained(groups, given, [&](std::size_t group, std::size_t place, const TrainedCompletion& trained) {
    all[group][place] = trained.token_advantages;
  });
  return all;
}

LossArrays gather_arrays(const GroupBatch& groups) {
  LossArrays arrays;
  for (const TrainedGroup* group : groups) {
    for (const TrainedCompletion& trained : group->completions) {
      const std::size_t begin = arrays.old_log_probs.size();
      append(arrays.old_log_probs,
             trained.prox_log_probs.empty() ? trained.completion->log_probs : trained.prox_log_probs);
      if (trained.token_advantages.empty()) {
        arrays.advantages.insert(arrays.advantages.end(), trained.completion->token_ids.size(), trained.advantage);
      } else {
        append(arrays.advantages, trained.token_advantages);
      }
      append(arrays.reference_log_probs, trained.reference_log_probs);
      append(arrays.importance, trained.importance);
      append(arrays.policy_mask, trained.policy_mask);
      arrays.sequences.push_back({begin, arrays.old_log_probs.size(), trained.denominator});
    }
  }
  return arrays;
}

Staleness staleness_of(const GroupBatch& groups, std::int64_t version) {
  Staleness result;
  double tokens = 0;
  for (const TrainedGroup* group : groups) {
    for (const TrainedCompletion& trained : group->completions) {
      for (const std::int64_t each : trained.completion->weight_versions) {
        const auto behind = static_cast<double>(version - each);
        result.max = std::max(result.max, behind);
        result.mean += behind;
        ++tokens;
      }
    }
  }
  result.mean /= std::max(tokens, 1.0);
  return result;
}

}  // namespace plumb
