#include "apps/plumb/grpo_scores.h"

#include "core/rng.h"
#include "reward/rules/normalise_parts.h"

namespace plumb {
namespace {

void apply_arm(RewardArm arm, std::uint64_t seed, ScoredGroup& group) {
  if (arm == RewardArm::kPermuted) {
    shuffle(group.scores, RngStream(RngPurpose::kData, seed, stable_hash(group.group.prompt->id), group.group.draw));
  }
  if (arm == RewardArm::kNegated) {
    for (Score& score : group.scores) {
      score.total = -score.total;
      for (ScoredStep& step : score.steps) {
        step.score = -step.score;
      }
    }
  }
}

}  // namespace

std::vector<ScoredGroup> learned_from(const Settings& settings, std::vector<ScoredGroup> groups) {
  for (ScoredGroup& group : groups) {
    if (settings.reward.combine == PartCombination::kNormaliseThenSum) {
      normalise_parts(group, {.floor = static_cast<double>(settings.grpo.std_floor),
                              .epsilon = static_cast<double>(settings.grpo.std_epsilon)});
    }
    apply_arm(settings.grpo.reward_arm, settings.run.seed, group);
  }
  return groups;
}

}  // namespace plumb
