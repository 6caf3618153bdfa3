#pragma once
// What becomes of a rollout's scores before the learner sees them: the controls, and parts that are normalised first.

#include <cstdint>
#include <vector>

#include "apps/plumb/settings.h"
#include "core/records.h"

namespace plumb {

/// The controls: the same verdicts, but permuted among a group's completions (by seed, prompt and draw), or with the
/// sign turned.
void apply_reward_arm(RewardArm arm, std::uint64_t seed, std::vector<ScoredGroup>& groups);

/// The groups with each part normalised by itself; what is reported keeps the scores as they were given.
std::vector<ScoredGroup> normalised(const Settings& settings, std::vector<ScoredGroup> groups);

}  // namespace plumb
