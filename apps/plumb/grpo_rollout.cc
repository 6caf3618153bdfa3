#include "apps/plumb/grpo_rollout.h"

#include <algorithm>
#include <chrono>
#include <iterator>

#include "learner/grpo_batch.h"
#include "reward/rules/score_parts.h"

namespace plumb {
namespace {

// Unscored completions are no trials.
void observe_spread(std::span<const ScoredGroup> groups, PromptSampler& sampler) {
  for (const ScoredGroup& group : groups) {
    double successes = 0;
    double trials = 0;
    for (const Score& score : group.scores) {
      trials += score.unscored ? 0 : 1;
      successes += is_solved(score) ? 1 : 0;
    }
    sampler.observe(group.group.prompt->id, successes, trials);
  }
}

}  // namespace

Result<Rollout> run_grpo_rollout(const GrpoRolloutParts& parts, const GrpoSettings& settings) {
  const nlohmann::json cursor = parts.sampler.cursor();
  const bool refills = parts.learner.zero_spread == ZeroSpread::kRefill;
  const int rounds = refills ? 1 + settings.algorithm.refill_rounds : 1;
  std::int64_t missing = settings.prompts_per_step;
  std::int64_t missing_code = settings.min_code_prompts;
  Rollout all;
  for (int round = 0; round < rounds && missing > 0; ++round) {
    const std::int64_t code = std::clamp<std::int64_t>(missing_code, 0, missing);
    const std::vector<PromptDraw> draws =
        parts.sampler.next_batch(static_cast<std::size_t>(missing), static_cast<std::size_t>(code));
    PLUMB_ASSIGN(Rollout rollout, run_rollout(parts.rollout, draws, settings.group_size, parts.generation));
    if (rollout.stopped) {
      PLUMB_TRY(parts.sampler.restore(cursor));
      return rollout;
    }
    observe_spread(rollout.groups, parts.sampler);
    if (parts.reward_model != nullptr) {
      const auto start = std::chrono::steady_clock::now();
      rollout.reward_model_flop = parts.reward_model->apply(rollout.groups);
      rollout.reward_s += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    }
    for (const ScoredGroup& group : rollout.groups) {
      if (has_spread(group, parts.learner)) {
        --missing;
        missing_code -= group.group.prompt->domain == Domain::kCode ? 1 : 0;
      }
    }
    all.new_tokens += rollout.new_tokens;
    all.rows += rollout.rows;
    all.head_rows += rollout.head_rows;
    all.reward_model_flop += rollout.reward_model_flop;
    all.sample_s += rollout.sample_s;
    all.reward_s += rollout.reward_s;
    std::ranges::move(rollout.groups, std::back_inserter(all.groups));
  }
  return all;
}

}  // namespace plumb
