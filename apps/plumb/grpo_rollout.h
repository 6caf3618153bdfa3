#pragma once
// The rollout of a GRPO step: prompts drawn, sampled and judged; with dynamic sampling again, until enough groups have
// something to teach.

#include "apps/plumb/reward_model_signal.h"
#include "apps/plumb/rollout.h"
#include "learner/grpo_options.h"

namespace plumb {

/// What a step's rollout needs; all outlive the call.
struct GrpoRolloutParts {
  const RolloutParts& rollout;
  PromptSampler& sampler;
  const GeneratorOptions& generation;
  const GrpoLearnerOptions& learner;
  RewardModelSignal* reward_model = nullptr;  // null: rewards are the scorer's alone
};

/// Groups of settings.prompts_per_step draws. With zero_spread = refill (dynamic sampling, DAPO: arXiv 2503.14476,
/// section 3.2) as many more prompts are drawn as groups are without spread, at most refill_rounds times; of them as
/// many code as the groups with spread still lack of min_code_prompts, so that what is trained on has the mix of a
/// step without refill (maths that teaches nothing is not replaced by code). All groups
/// are kept, so that the reward is that of all that was sampled. The sampler is told what each group earned, round by
/// round, and moved back to where it stood if the user stops.
Result<Rollout> run_grpo_rollout(const GrpoRolloutParts& parts, const GrpoSettings& settings);

}  // namespace plumb
