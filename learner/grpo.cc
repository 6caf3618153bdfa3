#include "learner/grpo.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"
#include "learner/batching.h"

namespace plumb {
namespace {

std::vector<const ScoredGroup*> in_canonical_order(std::span<const ScoredGroup> groups) {
  std::vector<const ScoredGroup*> ordered;
  for (const ScoredGroup& group : groups) {
    ordered.push_back(&group);
  }
  std::stable_sort(ordered.begin(), ordered.end(), [](const ScoredGroup* a, const ScoredGroup* b) {
    const int ids = a->group.prompt->id.compare(b->group.prompt->id);
    return ids != 0 ? ids < 0 : a->group.draw < b->group.draw;
  });
  return ordered;
}

Rewards rewards_of(const ScoredGroup& group) {
  PLUMB_CHECK(group.scores.size() == group.group.completions.size(), "a score for every completion");
  Rewards rewards;
  for (const Score& score : group.scores) {
    rewards.push_back(score.unscored ? std::nullopt : std::optional<double>(score.total));
  }
  return rewards;
}

// The scored completions of a group, as the learner computes them.
SharedPromptSequences sequences_of(const ScoredGroup& group) {
  SharedPromptSequences sequences{group.group.prompt_token_ids, {}};
  for (std::size_t i = 0; i < group.scores.size(); ++i) {
    if (!group.scores[i].unscored) {
      sequences.completions.emplace_back(group.group.completions[i].token_ids);
    }
  }
  return sequences;
}

// What the actor drew each token from. Kept sets speak of the logits of the weights that a token was sampled with.
void append_kept(const Completion& completion, std::vector<KeptSet>& kept) {
  kept.insert(kept.end(), completion.kept.begin(), completion.kept.end());
  kept.resize(kept.size() + completion.token_ids.size() - completion.kept.size());
}

void describe_advantages(std::span<const GroupAdvantages> all, GrpoStepStats& stats) {
  double sum = 0;
  double squares = 0;
  std::int64_t count = 0;
  for (const GroupAdvantages& group : all) {
    for (const float advantage : group.advantages) {
      sum += static_cast<double>(advantage);
      squares += static_cast<double>(advantage) * static_cast<double>(advantage);
    }
    count += group.num_scored;
  }
  if (count > 1) {
    const auto n = static_cast<double>(count);
    stats.advantage_mean = sum / n;
    stats.advantage_std = std::sqrt(std::max(0.0, (squares - sum * sum / n) / (n - 1)));
  }
}

}  // namespace

GrpoLearner::GrpoLearner(Policy& policy, Optimizer& optimizer, const GrpoLearnerOptions& options)
    : policy_(policy), optimizer_(optimizer), options_(options) {}

GrpoStepStats GrpoLearner::step(std::span<const ScoredGroup> groups, std::int64_t step, float temperature) {
  GrpoStepStats stats;
  const std::vector<const ScoredGroup*> ordered = in_canonical_order(groups);
  std::vector<Rewards> rewards;
  std::int64_t scored_tokens = 0;
  for (const ScoredGroup* group : ordered) {
    rewards.push_back(rewards_of(*group));
    for (const auto& completion : sequences_of(*group).completions) {
      scored_tokens += static_cast<std::int64_t>(completion.size());
    }
  }
  const std::vector<GroupAdvantages> advantages = batch_advantages(rewards, options_.advantage);
  describe_advantages(advantages, stats);

  GrpoLossSums sums;
  std::vector<const ScoredGroup*> batch;
  std::vector<const GroupAdvantages*> batch_advantages;
  std::int64_t rows = 0;
  const auto flush = [&] {
    if (!batch.empty()) {
      run_micro_batch(batch, batch_advantages, static_cast<double>(scored_tokens), temperature, sums);
      batch.clear();
      batch_advantages.clear();
      rows = 0;
    }
  };
  for (std::size_t g = 0; g < ordered.size(); ++g) {
    if (!advantages[g].has_advantages) {
      continue;
    }
    const std::int64_t more = num_rows(sequences_of(*ordered[g]));
    if (rows > 0 && rows + more > options_.micro_batch_tokens) {
      flush();
    }
    batch.push_back(ordered[g]);
    batch_advantages.push_back(&advantages[g]);
    rows += more;
    ++stats.trained_groups;
  }
  flush();

  stats.frac_reward_zero_std =
      groups.empty() ? 0.0 : 1.0 - static_cast<double>(stats.trained_groups) / static_cast<double>(groups.size());
  stats.trained_tokens = sums.num_tokens;
  stats.learning_rate = static_cast<double>(learning_rate(options_.schedule, step));
  if (sums.num_tokens > 0) {
    const auto tokens = static_cast<double>(sums.num_tokens);
    stats.policy_loss = sums.loss;
    stats.kl = sums.kl / tokens;
    stats.entropy = sums.entropy / tokens;
    stats.ratio_max_abs_dev = sums.max_ratio_deviation;
    stats.clip_low_mean = static_cast<double>(sums.clipped_low) / tokens;
    stats.clip_high_mean = static_cast<double>(sums.clipped_high) / tokens;
    const UpdateStats update = optimizer_.step(static_cast<float>(stats.learning_rate));
    stats.grad_norm = update.grad_norm;
    stats.updated = update.applied;
  }
  return stats;
}

void GrpoLearner::run_micro_batch(std::span<const ScoredGroup* const> groups,
                                  std::span<const GroupAdvantages* const> advantages, double denominator,
                                  float temperature, GrpoLossSums& sums) {
  PackedBatch batch;
  ScoreTargets targets;
  targets.temperature = temperature;
  std::vector<float> old_log_probs;
  std::vector<float> token_advantages;
  bool truncated = false;
  const auto is_current = [this](std::int64_t version) { return version == policy_.version(); };
  for (std::size_t g = 0; g < groups.size(); ++g) {
    append_sequences(sequences_of(*groups[g]), batch, targets);
    for (std::size_t i = 0; i < groups[g]->scores.size(); ++i) {
      if (groups[g]->scores[i].unscored) {
        continue;
      }
      const Completion& completion = groups[g]->group.completions[i];
      old_log_probs.insert(old_log_probs.end(), completion.log_probs.begin(), completion.log_probs.end());
      token_advantages.insert(token_advantages.end(), completion.token_ids.size(), advantages[g]->advantages[i]);
      PLUMB_CHECK(completion.kept.empty() || std::ranges::all_of(completion.weight_versions, is_current),
                  "kept sets are of other weights than the learner's");
      append_kept(completion, targets.kept);
      truncated = truncated || !completion.kept.empty();
    }
  }
  if (!truncated) {
    targets.kept.clear();
  }
  const TokenScores scores = policy_.forward(batch, targets, tape_);
  std::vector<float> d_log_probs(scores.log_probs.size());
  sums.add(grpo_loss(scores.log_probs, old_log_probs, token_advantages, scores.entropies, denominator, options_.loss,
                     d_log_probs));
  policy_.backward(tape_, d_log_probs);
}

}  // namespace plumb
