#include "apps/plumb/grpo_scores.h"

#include "core/rng.h"
#include "reward/rules/normalise_parts.h"

namespace plumb {

void apply_reward_arm(RewardArm arm, std::uint64_t seed, std::vector<ScoredGroup>& groups) {
  for (ScoredGroup& group : groups) {
    if (arm == RewardArm::kPermuted) {
      shuffle(group.scores, RngStream(RngPurpose::kData, seed, stable_hash(group.group.prompt->id), group.group.draw));
    }
    for (Score& score : group.scores) {
      if (arm == RewardArm::kNegated) {
        score.total = -score.total;
        for (ScoredStep& step : score.steps) {
          step.score = -step.score;
        }
      }
    }
  }
}

std::vector<ScoredGroup> normalised(const Settings& settings, std::vector<ScoredGroup> groups) {
  for (ScoredGroup& group : groups) {
    normalise_parts(group, settings.grpo.std_epsilon);
    for (Score& score : group.scores) {
      score.total = settings.grpo.reward_arm == RewardArm::kNegated ? -score.total : score.total;
    }
  }
  return groups;
}

}  // namespace plumb
