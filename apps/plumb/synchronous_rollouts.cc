#include <chrono>

#include "apps/plumb/rollout_source.h"

namespace plumb {
namespace {

class SynchronousRollouts : public RolloutSource {
 public:
  SynchronousRollouts(const RolloutSourceParts& parts, PromptSampler sampler)
      : parts_(parts), sampler_(std::move(sampler)), generator_(parts.policy, parts.tokenizer, parts.pool) {}

  Result<StepRollout> next() override {
    const RolloutParts sampling{generator_, parts_.scorer, parts_.tokenizer, parts_.chat_template};
    StepRollout step;
    PLUMB_ASSIGN(step.rollout, run_grpo_rollout({sampling, sampler_, parts_.generation, parts_.learner,
                                                 parts_.reward_model, parts_.reward_model_share},
                                                parts_.settings));
    step.cursor = sampler_.cursor();
    step.epoch = sampler_.epoch();
    step.wait_s = step.rollout.sample_s + step.rollout.reward_s;
    return step;
  }

  void learned() override {}

 private:
  RolloutSourceParts parts_;
  PromptSampler sampler_;
  Generator generator_;
};

}  // namespace

std::unique_ptr<RolloutSource> synchronous_rollouts(const RolloutSourceParts& parts, PromptSampler sampler) {
  return std::make_unique<SynchronousRollouts>(parts, std::move(sampler));
}

}  // namespace plumb
