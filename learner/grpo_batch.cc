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

// Of all completions of a group, the unscored ones missing.
Rewards scores_of(const TrainedGroup& group) {
  Rewards scores;
  for (const Score& score : group.scored->scores) {
    scores.push_back(score.unscored ? std::nullopt : std::optional(score.total));
  }
  return scores;
}

// What is added to these scores.
std::vector<double> shaping_of(const TrainedGroup& group, const GrpoLearnerOptions& options) {
  std::vector<double> shaping;
  std::size_t next = 0;
  for (const Score& score : group.scored->scores) {
    double& added = shaping.emplace_back(0.0);
    if (!score.unscored) {
      const TrainedCompletion& trained = group.completions[next++];
      added = overlong_penalty(trained.num_tokens(), options);
      if (options.kl_reward_coefficient != 0) {
        added -= static_cast<double>(options.kl_reward_coefficient) * divergence_of(trained);
      }
    }
  }
  return shaping;
}

void hand_out(const GroupAdvantages& advantages, const GrpoLearnerOptions& options, TrainedGroup& group) {
  group.has_spread = advantages.has_spread && (!options.process.on || options.process.outcome_weight > 0);
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
  trained_group.has_spread = trained_group.has_spread || std::ranges::any_of(by_steps, differs_from_zero);
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

bool has_advantage(const TrainedCompletion& trained) {
  return trained.token_advantages.empty() ? trained.advantage != 0 : differs_from_zero(trained.token_advantages);
}

bool is_trained(const TrainedGroup& group, int num_scored, const GrpoLearnerOptions& options) {
  const int fewest = options.advantage.kind == AdvantageKind::kReinforcePp ? 1 : 2;
  if (num_scored < fewest || group.completions.empty()) {
    return false;
  }
  const bool replaced = options.zero_spread == ZeroSpread::kRefill && !group.has_spread;
  return options.zero_spread == ZeroSpread::kKeep ||
         (!replaced && std::ranges::any_of(group.completions, has_advantage));
}

// Those of one mini-batch in order, for each.
std::vector<std::vector<TrainedGroup*>> deal_out(std::vector<TrainedGroup>& groups, const GrpoLearnerOptions& options) {
  std::vector<std::vector<TrainedGroup*>> dealt(static_cast<std::size_t>(options.mini_batches));
  int next = 0;
  for (const bool trained : {true, false}) {
    for (TrainedGroup& group : groups) {
      if (group.trained == trained) {
        group.mini_batch = next++ % options.mini_batches;
      }
    }
  }
  for (TrainedGroup& group : groups) {
    dealt[static_cast<std::size_t>(group.mini_batch)].push_back(&group);
  }
  return dealt;
}

}  // namespace

SharedPromptSequences TrainedGroup::sequences() const {
  SharedPromptSequences sequences{scored->group.prompt_token_ids, {}};
  for (const TrainedCompletion& each : completions) {
    sequences.completions.emplace_back(each.completion->token_ids);
  }
  return sequences;
}

std::vector<TrainedGroup> trained_groups(std::span<const ScoredGroup> groups) {
  std::vector<TrainedGroup> ordered;
  for (const ScoredGroup& group : groups) {
    PLUMB_CHECK(group.scores.size() == group.group.completions.size(), "a score for every completion");
    ordered.emplace_back().scored = &group;
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
  std::vector<Rewards> scores;
  std::vector<std::vector<double>> shaping;
  for (const TrainedGroup& group : groups) {
    scores.push_back(scores_of(group));
    shaping.push_back(shaping_of(group, options));
  }
  const double divergence = options.kl_reward_coefficient == 0 ? 0.0 : mean_divergence(groups);
  std::vector<GroupAdvantages> advantages = batch_advantages(scores, options.advantage, shaping);
  for (std::size_t g = 0; g < groups.size(); ++g) {
    hand_out(advantages[g], options, groups[g]);
    if (options.process.on) {
      hand_out_steps(groups[g], options, advantages[g]);
    }
    if (options.filter_overlong) {
      std::erase_if(groups[g].completions, [](const TrainedCompletion& trained) {
        return trained.completion->finish_reason == FinishReason::kLength;
      });
    }
    groups[g].trained = is_trained(groups[g], advantages[g].num_scored, options);
    if (!groups[g].trained && options.count_contributing_only) {
      groups[g].completions.clear();
    }
  }
  for (const auto& batch : deal_out(groups, options)) {
    set_denominators(batch, options);
  }
  AdvantageSummary summary = summarise(advantages);
  summary.divergence = divergence;
  return summary;
}

bool has_spread(const ScoredGroup& group, const GrpoLearnerOptions& options) {
  GrpoLearnerOptions alone = options;
  alone.zero_spread = ZeroSpread::kRefill;
  alone.kl_reward_coefficient = 0;  // the reference has not been asked yet, and spread is of scores
  if (!options.process.on) {
    alone.advantage.kind = AdvantageKind::kNoStd;  // what a batch divides by changes no sign
  }
  std::vector<TrainedGroup> one = trained_groups({&group, 1});
  prepare_update(one, alone);
  return one.front().trained;
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
