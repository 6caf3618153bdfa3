#pragma once
// How well a reward model tells what passes from what does not, beside what needs no model for that.

#include <nlohmann/json.hpp>
#include <span>

#include "apps/plumb/reward_pairs.h"
#include "policy/policy.h"

namespace plumb {

/// Accuracy over all pairs but ties, over the hard ones (is_hard) and by the verdict of what was rejected; those of
/// preferring what is shorter, what its sampler found likelier (mean log_prob of a token), and what compiles; each with
/// a 95 % interval over families. And the calibration error. Printed, and the same as JSON for reward_model.json.
nlohmann::json evaluate_reward_model(Policy& policy, std::span<const PairRecord> records, JudgeTokens tokens);

}  // namespace plumb
