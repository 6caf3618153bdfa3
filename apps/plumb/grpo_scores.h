#pragma once
// What becomes of a rollout's scores before the learner sees them: the controls, and parts that are normalised first.

#include <vector>

#include "apps/plumb/settings.h"
#include "core/records.h"

namespace plumb {

/// The groups as the learner sees them: each part normalised by itself, where reward.combine says so; then
/// grpo.reward_arm's control: the same scores permuted among a group's completions (by seed, prompt and draw), or with
/// the sign turned. What is reported and saved keeps the scores as they were given.
std::vector<ScoredGroup> learned_from(const Settings& settings, std::vector<ScoredGroup> groups);

}  // namespace plumb
