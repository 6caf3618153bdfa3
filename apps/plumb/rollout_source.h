#pragma once
// Where a GRPO step's rollout comes from: sampled when the step asks for it, or by an actor of its own that goes on
// while the learner learns (grpo.schedule).

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "apps/plumb/grpo_rollout.h"
#include "core/result.h"
#include "core/thread_pool.h"
#include "policy/policy.h"

namespace plumb {

/// A rollout that a step learns from, and where the prompt sampler stood behind it: a run that ends after that step
/// goes on there, so that no draw is lost or learned from twice, whatever else had been drawn.
struct StepRollout {
  Rollout rollout;
  nlohmann::json cursor;
  double epoch = 0;
  double wait_s = 0;                    // that the learner waited for it
  std::vector<std::string> notes = {};  // of what happened to actor processes, for the user
};

class RolloutSource {
 public:
  virtual ~RolloutSource() = default;
  /// The next step's rollout, in the order of the draws. Errors: of sampling and of the reward model.
  virtual Result<StepRollout> next() = 0;
  /// The policy has learned from what next() gave last.
  virtual void learned() = 0;
};

/// What every source samples with; all outlive it.
struct RolloutSourceParts {
  Policy& policy;  // the learner's
  ThreadPool& pool;
  Scorer& scorer;
  const Tokenizer& tokenizer;
  const ChatTemplate& chat_template;
  const GeneratorOptions& generation;
  const GrpoLearnerOptions& learner;
  const GrpoSettings& settings;
  const ModelSettings& model;
  std::string run_folder;
  RewardModelSignal* reward_model = nullptr;
};

/// grpo.schedule = synchronous: next() samples with the learner's policy, on the caller's thread or, with
/// grpo.actor_processes, in those. Errors: processes that cannot be started.
Result<std::unique_ptr<RolloutSource>> synchronous_rollouts(const RolloutSourceParts& parts, PromptSampler sampler);

/// The other schedules. A copy of the policy samples on a thread of its own, with `settings.actor_threads`, or in
/// processes of their own; judging is beside it. Rollout k (from 0) begins once max_staleness steps at most are missing
/// before it.
///   one step off   max_staleness is 1, and a rollout's weights are exactly those of the step before the last: which
///                  tokens are sampled with which weights depends on nothing else, so that two runs are the same.
///   asynchronous   the newest weights are taken between two decode steps, in the middle of completions too; every
///                  token names the version that it was sampled with.
/// `num_rollouts` are sampled at most. Errors: a policy that cannot be copied.
Result<std::unique_ptr<RolloutSource>> overlapped_rollouts(const RolloutSourceParts& parts, PromptSampler sampler,
                                                           std::int64_t num_rollouts);

}  // namespace plumb
