#include <chrono>

#include "apps/plumb/actor_processes.h"
#include "apps/plumb/rollout_source.h"

namespace plumb {
namespace {

class SynchronousRollouts : public RolloutSource {
 public:
  // Without `fleet` the learner's own policy samples.
  SynchronousRollouts(const RolloutSourceParts& parts, PromptSampler sampler, std::unique_ptr<ActorFleet> fleet)
      : parts_(parts),
        sampler_(std::move(sampler)),
        generator_(parts.policy, parts.tokenizer, parts.pool),
        fleet_(std::move(fleet)) {}

  Result<StepRollout> next() override {
    CompletionSource* source = &generator_;
    if (fleet_ != nullptr) {
      PLUMB_TRY(send_weights());
      source = fleet_.get();
    }
    const RolloutParts sampling{*source, parts_.scorer, parts_.tokenizer, parts_.chat_template};
    StepRollout step;
    PLUMB_ASSIGN(step.rollout,
                 run_grpo_rollout({sampling, sampler_, parts_.generation, parts_.learner, parts_.reward_model},
                                  parts_.settings));
    step.cursor = sampler_.cursor();
    step.epoch = sampler_.epoch();
    step.wait_s = step.rollout.sample_s + step.rollout.reward_s;
    if (fleet_ != nullptr) {
      step.notes = fleet_->take_notes();
    }
    return step;
  }

  void learned() override {}

 private:
  Result<void> send_weights() {
    return parts_.policy.version() == fleet_->version() ? Result<void>() : fleet_->adopt(copy_weights(parts_.policy));
  }

  RolloutSourceParts parts_;
  PromptSampler sampler_;
  Generator generator_;
  std::unique_ptr<ActorFleet> fleet_;
};

}  // namespace

Result<std::unique_ptr<RolloutSource>> synchronous_rollouts(const RolloutSourceParts& parts, PromptSampler sampler) {
  std::unique_ptr<ActorFleet> fleet;
  if (parts.settings.actor_processes > 0) {
    PLUMB_ASSIGN(fleet, start_actor_processes(parts));
  }
  return std::unique_ptr<RolloutSource>(
      std::make_unique<SynchronousRollouts>(parts, std::move(sampler), std::move(fleet)));
}

}  // namespace plumb
