#include "learner/grpo_batch.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"
#include "learner/step_advantages.h"

namespace plumb {
namespace {

// The estimator k1, summed over the tokens: log pi - log pi_ref of what was sampled.
double divergence_of(const TrainedCompletion& trained) {
  const std::vector<float>& log_probs =
      trained.raw_log_probs.empty() ? trained.completion->log_probs : trained.raw_log_probs;
  double divergence = 0;
  for (std::size_t t = 0; t < trained.reference_log_probs.size(); ++t) {
    divergence += static_cast<double>(log_probs[t]) - static_cast<double>(trained.reference_log_probs[t]);
  }
  return divergence;
}

double mean_divergence(std::span<const TrainedGroup> groups) {
  double sum = 0;
  std::int64_t tokens = 0;
  for (const TrainedGroup& group : groups) {
    for (const TrainedCompletion& trained : group.completions) {
      sum += divergence_of(trained);
      tokens += trained.num_tokens();
    }
  }
  return tokens == 0 ? 0.0 : sum / static_cast<double>(tokens);
}

double reward_of(const TrainedCompletion& trained, double score, const GrpoLearnerOptions& options) {
  double reward = score;
  if (options.overlong.zone > 0) {
    reward += overlong_penalty(trained.num_tokens(), options);
  }
  if (options.kl_reward_coefficient != 0) {
    reward -= static_cast<double>(options.kl_reward_coefficient) * divergence_of(trained);
  }
  return reward;
}

// The rewards of all completions of a group, the unscored ones missing.
Rewards rewards_of(TrainedGroup& group, const GrpoLearnerOptions& options) {
  Rewards rewards;
  std::size_t next = 0;
  for (const Score& score : group.scored->scores) {
    rewards.emplace_back();
    if (!score.unscored) {
      TrainedCompletion& trained = group.completions[next++];
      trained.reward = reward_of(trained, score.total, options);
      rewards.back() = trained.reward;
    }
  }
  return rewards;
}

void hand_out(const GroupAdvantages& advantages, TrainedGroup& group) {
  group.has_spread = advantages.has_spread;
  std::size_t next = 0;
  for (std::size_t i = 0; i < group.scored->scores.size(); ++i) {
    if (!group.scored->scores[i].unscored) {
      group.completions[next++].advantage = advantages.advantages[i];
    }
  }
}

// By the steps alone, [G'][T] of the scored completions.
std::vector<std::vector<float>> advantages_by_steps(const TrainedGroup& group, const AdvantageOptions& options) {
  std::vector<StepScores> all;
  for (const TrainedCompletion& trained : group.completions) {
    StepScores& steps = all.emplace_back();
    steps.num_tokens = trained.num_tokens();
    for (const ScoredStep& step : trained.score->steps) {
      steps.scores.push_back(step.score);
      steps.ends.push_back(step.end);
    }
  }
  return step_advantages(all, options);
}

bool differs_from_zero(const std::vector<float>& advantages) {
  return std::ranges::any_of(advantages, [](float advantage) { return advantage != 0; });  // NaN does
}

// Gives each token its own advantage; `group` has those of outcomes, and in the end the means over tokens.
void hand_out_steps(TrainedGroup& trained_group, const GrpoLearnerOptions& options, GroupAdvantages& group) {
  std::vector<std::vector<float>> by_steps = advantages_by_steps(trained_group, options.advantage);
  std::size_t next = 0;
  for (std::size_t i = 0; i < trained_group.scored->scores.size(); ++i) {
    if (trained_group.scored->scores[i].unscored) {
      continue;
    }
    TrainedCompletion& trained = trained_group.completions[next];
    trained.token_advantages = std::move(by_steps[next++]);
    double sum = 0;
    for (float& advantage : trained.token_advantages) {
      advantage += options.process.outcome_weight * group.advantages[i];
      sum += static_cast<double>(advantage);
    }
    trained.advantage = static_cast<float>(sum / static_cast<double>(std::max<std::int64_t>(1, trained.num_tokens())));
    group.advantages[i] = trained.advantage;
  }
  group.has_advantages =
      std::ranges::any_of(trained_group.completions, differs_from_zero, &TrainedCompletion::token_advantages);
}

AdvantageSummary summarise(std::span<const GroupAdvantages> all) {
  AdvantageSummary summary;
  double sum = 0;
  double squares = 0;
  std::int64_t count = 0;
  for (const GroupAdvantages& group : all) {
    for (const float advantage : group.advantages) {
      sum += static_cast<double>(advantage);
      squares += static_cast<double>(advantage) * static_cast<double>(advantage);
    }
    count += group.num_scored;
    summary.groups_with_spread += group.has_spread ? 1 : 0;
  }
  if (count > 1) {
    const auto n = static_cast<double>(count);
    summary.mean = sum / n;
    summary.std = std::sqrt(std::max(0.0, (squares - sum * sum / n) / (n - 1)));
  }
  return summary;
}

// Denominators over the counted groups of one mini-batch, in order.
void set_denominators(std::span<TrainedGroup* const> groups, const GrpoLearnerOptions& options) {
  std::vector<std::int64_t> lengths;
  for (const TrainedGroup* group : groups) {
    for (const TrainedCompletion& trained : group->completions) {
      lengths.push_back(trained.num_tokens());
    }
  }
  const std::vector<double> all = denominators(lengths, options.aggregation, options.max_completion_tokens);
  std::size_t next = 0;
  for (TrainedGroup* group : groups) {
    for (TrainedCompletion& trained : group->completions) {
      trained.denominator = all[next++];
    }
  }
}

bool is_trained(const GroupAdvantages& advantages, const GrpoLearnerOptions& options) {
  const int fewest = options.advantage.kind == AdvantageKind::kReinforcePp ? 1 : 2;
  return advantages.num_scored >= fewest && (advantages.has_advantages || options.zero_spread == ZeroSpread::kKeep);
}

}  // namespace

SharedPromptSequences TrainedGroup::sequences() const {
  SharedPromptSequences sequences{scored->group.prompt_token_ids, {}};
  for (const TrainedCompletion& trained : completions) {
    sequences.completions.emplace_back(trained.completion->token_ids);
  }
  return sequences;
}

std::vector<TrainedGroup> trained_groups(std::span<const ScoredGroup> groups) {
  std::vector<TrainedGroup> ordered;
  for (const ScoredGroup& group : groups) {
    PLUMB_CHECK(group.scores.size() == group.group.completions.size(), "a score for every completion");
    ordered.push_back({&group, {}, false});
    for (std::size_t i = 0; i < group.scores.size(); ++i) {
      if (!group.scores[i].unscored) {
        TrainedCompletion& trained = ordered.back().completions.emplace_back();
        trained.completion = &group.group.completions[i];
        trained.score = &group.scores[i];
      }
    }
  }
  std::stable_sort(ordered.begin(), ordered.end(), [](const TrainedGroup& a, const TrainedGroup& b) {
    const int ids = a.scored->group.prompt->id.compare(b.scored->group.prompt->id);
    return ids != 0 ? ids < 0 : a.scored->group.draw < b.scored->group.draw;
  });
  return ordered;
}

AdvantageSummary prepare_update(std::vector<TrainedGroup>& groups, const GrpoLearnerOptions& options) {
  std::vector<Rewards> rewards;
  for (TrainedGroup& group : groups) {
    rewards.push_back(rewards_of(group, options));
  }
  const double divergence = options.kl_reward_coefficient == 0 ? 0.0 : mean_divergence(groups);
  std::vector<GroupAdvantages> advantages = batch_advantages(rewards, options.advantage);
  const auto num_batches = static_cast<std::size_t>(options.mini_batches);
  std::vector<std::vector<TrainedGroup*>> counted(num_batches);
  for (std::size_t g = 0; g < groups.size(); ++g) {
    hand_out(advantages[g], groups[g]);
    if (options.process.on) {
      hand_out_steps(groups[g], options, advantages[g]);
    }
    if (options.filter_overlong) {
      std::erase_if(groups[g].completions, [](const TrainedCompletion& trained) {
        return trained.completion->finish_reason == FinishReason::kLength;
      });
    }
    if (!options.count_contributing_only || is_trained(advantages[g], options)) {
      counted[g % num_batches].push_back(&groups[g]);
    }
  }
  for (const auto& batch : counted) {
    set_denominators(batch, options);
  }
  for (std::size_t g = 0; g < groups.size(); ++g) {
    if (!is_trained(advantages[g], options)) {
      groups[g].completions.clear();
    }
  }
  AdvantageSummary summary = summarise(advantages);
  summary.divergence = divergence;
  return summary;
}

bool has_spread(const ScoredGroup& group, const GrpoLearnerOptions& options) {
  std::vector<TrainedGroup> one = trained_groups({&group, 1});
  GrpoLearnerOptions undiverged = options;
  undiverged.kl_reward_coefficient = 0;
  undiverged.advantage.kind = AdvantageKind::kNoStd;
  const bool differ = group_advantages(rewards_of(one.front(), undiverged), undiverged.advantage).has_spread;
  if (!options.process.on) {
    return differ;
  }
  if (one.front().completions.size() < 2) {
    return false;  // has nobody to be compared with, and is not trained on
  }
  return (differ && options.process.outcome_weight > 0) ||
         std::ranges::any_of(advantages_by_steps(one.front(), options.advantage), differs_from_zero);
}

double entropy_threshold(std::vector<float> entropies, double share) {
  if (entropies.empty()) {
    return 0;
  }
  std::sort(entropies.begin(), entropies.end());
  const double place = (1 - share) * static_cast<double>(entropies.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, entropies.size() - 1);
  const double fraction = place - static_cast<double>(below);
  return static_cast<double>(entropies[below]) * (1 - fraction) + static_cast<double>(entropies[above]) * fraction;
}

}  // namespace plumb
