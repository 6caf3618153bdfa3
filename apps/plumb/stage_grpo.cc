#include "apps/plumb/stage_grpo.h"

#include <fmt/format.h>

#include <algorithm>

#include "apps/plumb/grpo_run.h"
#include "apps/plumb/reward_model_signal.h"
#include "apps/plumb/rollout.h"
#include "datasets/sampler.h"

namespace plumb {
namespace {

// What a run needs that a mistake can be in.
struct GrpoPlan {
  GrpoLearnerOptions learning;
  PromptSampler sampler;
  std::unique_ptr<RewardModelSignal> reward_model;
};

Result<GrpoPlan> plan_grpo(RunContext& context, const Prompts& prompts) {
  const Settings& settings = context.settings();
  Workbench& bench = context.bench();
  if (prompts.empty()) {
    return Error{fmt::format("grpo: no prompts to train on: {}", kNoTrainingPrompts)};
  }
  PLUMB_ASSIGN(const GrpoLearnerOptions learning, grpo_learner_options(settings));
  PLUMB_TRY(check_router_loss(learning.router, bench.policy().config()));
  PLUMB_TRY(check_trainable(generator_options(settings).sampling));
  PLUMB_TRY(
      check_prompts(prompts, bench.tokenizer(), bench.chat_template(), generator_options(settings), bench.policy()));
  std::vector<PromptRecord> records;
  for (const auto& prompt : prompts) {
    records.push_back(*prompt);
  }
  PLUMB_ASSIGN(PromptSampler sampler,
               PromptSampler::create(std::move(records), settings.run.seed, settings.grpo.prompt_order));
  std::unique_ptr<RewardModelSignal> reward_model;
  if (settings.reward.uses_reward_model()) {
    PLUMB_ASSIGN(reward_model, RewardModelSignal::open(settings.reward, settings.model, bench));
  }
  return GrpoPlan{learning, std::move(sampler), std::move(reward_model)};
}

}  // namespace

Result<void> check_grpo_stage(RunContext& context, const Prompts& prompts) {
  const auto plan = plan_grpo(context, prompts);
  return plan ? Result<void>() : plan.error();
}

Result<GrpoSummary> run_grpo_stage(RunContext& context, const Prompts& prompts, bool resume, std::int64_t last_step) {
  const Settings& settings = context.settings();
  PLUMB_ASSIGN(GrpoPlan plan, plan_grpo(context, prompts));
  std::unique_ptr<ReferencePolicy> reference;
  if (settings.grpo.algorithm.reference.kind != ReferenceKind::kNone) {
    PLUMB_ASSIGN(reference, ReferencePolicy::create(context.bench().policy(), context.bench().pool(),
                                                    settings.grpo.algorithm.reference));
  }
  PLUMB_TRY(context.claim());
  GrpoRun run(context, {std::move(plan.sampler), DevWatch::create(context), plan.learning, std::move(reference),
                        std::move(plan.reward_model)});
  if (resume) {
    PLUMB_TRY(run.resume());
  } else if (!context.folder().has_logs()) {
    PLUMB_TRY(context.folder().open_logs({}));
  }
  return run.run(std::min(last_step, settings.grpo.steps));
}

}  // namespace plumb
