#include <limits>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "bench/flop.h"
#include "bench/forced_sampling.h"
#include "bench/load.h"
#include "core/records.h"
#include "core/trace.h"
#include "learner/grpo.h"
#include "learner/optimizer.h"

namespace plumb {
namespace {

// Every other completion is worth 1, so that each group has a spread and all of it is trained on.
std::vector<double> trivial_rewards(const SamplingLoad& load) {
  std::vector<double> rewards(load.prompts.size() * static_cast<std::size_t>(load.samples_per_prompt));
  for (std::size_t i = 0; i < rewards.size(); i += 2) {
    rewards[i] = 1;
  }
  return rewards;
}

std::vector<ScoredGroup> with_rewards(const SamplingLoad& load, ForcedSamples samples, std::int64_t version,
                                      std::span<const double> rewards) {
  std::vector<ScoredGroup> groups;
  for (std::size_t p = 0; p < load.prompts.size(); ++p) {
    auto record = std::make_shared<PromptRecord>();
    record->id = "bench/" + std::to_string(p);
    ScoredGroup scored;
    scored.group.prompt = std::move(record);
    scored.group.prompt_token_ids = load.prompts[p];
    for (std::size_t i = 0; i < samples.token_ids[p].size(); ++i) {
      Completion completion;
      completion.token_ids = std::move(samples.token_ids[p][i]);
      completion.log_probs = std::move(samples.log_probs[p][i]);
      completion.weight_versions.assign(completion.token_ids.size(), version);
      scored.group.completions.push_back(std::move(completion));
      Score score;
      score.total = rewards[p * samples.token_ids[p].size() + i];
      scored.scores.push_back(std::move(score));
    }
    groups.push_back(std::move(scored));
  }
  return groups;
}

double learner_flop(const ModelConfig& config, const SamplingLoad& load) {
  double flop = 0;
  for (const std::vector<std::int32_t>& prompt : load.prompts) {
    const auto length = static_cast<std::int64_t>(prompt.size());
    const std::int64_t rows = load.num_new_tokens - 1;
    flop += training_flop(config, {.start_position = 0, .num_tokens = length, .num_logit_rows = 1});
    flop += static_cast<double>(load.samples_per_prompt) *
            training_flop(config, {.start_position = length, .num_tokens = rows, .num_logit_rows = rows});
  }
  return flop;
}

}  // namespace

Result<BenchResult> bench_grpo_step(Policy& policy, ThreadPool& pool, const SamplingLoad& load,
                                    const RewardSource& rewards) {
  Optimizer optimizer(policy, pool, {});
  GrpoLearnerOptions options;
  options.schedule.peak = 1e-6F;
  options.micro_batch_tokens = 2048;  // all of it at once
  GrpoLearner learner(policy, optimizer, options);
  BenchResult result;
  result.seconds = std::numeric_limits<double>::infinity();
  for (int repetition = 0; repetition <= load.repetitions; ++repetition) {
    if (repetition == 1) {
      restart_trace();
    }
    const double start = now_s();
    ForcedSamples samples = sample_forced(policy, pool, load, static_cast<std::uint64_t>(repetition));
    const double sampled = now_s();
    // The first repetition warms up and is checked; it is not timed.
    if (repetition == 0 && !log_probs_equal_score(policy, load, samples)) {
      return Error{"bench grpo-step: a sampled token's log-prob differs from the one that the learner gives it"};
    }
    PLUMB_ASSIGN(const std::vector<double> earned,
                 rewards ? rewards(repetition) : Result<std::vector<double>>(trivial_rewards(load)));
    const double judged = now_s();
    const std::vector<ScoredGroup> groups = with_rewards(load, std::move(samples), policy.version(), earned);
    const GrpoStepStats stats = learner.step(groups, repetition, 1.0F);
    const double end = now_s();
    if (!stats.updated || stats.ratio_max_abs_dev != 0) {
      return Error{"bench grpo-step: the step made no update, or a ratio on the sampler's own weights is not 1"};
    }
    if (repetition > 0 && end - start < result.seconds) {
      result.seconds = end - start;
      result.parts = {{"sample", sampled - start, sampling_flop(policy.config(), load)},
                      {"train", end - judged, learner_flop(policy.config(), load)}};
      result.details = {{"reward_seconds", judged - sampled}, {"trained_tokens", stats.trained_tokens}};
    }
  }
  result.name = "grpo-step";
  result.tokens = static_cast<std::int64_t>(load.prompts.size()) * load.samples_per_prompt * load.num_new_tokens;
  result.flop = sampling_flop(policy.config(), load) + learner_flop(policy.config(), load);
  result.threads = pool.num_threads();
  result.dtype = policy.dtype();
  result.checked = "the log-prob of every sampled token equals the learner's; every ratio is 1";
  result.details["prompts"] = load.prompts.size();
  result.details["samples_per_prompt"] = load.samples_per_prompt;
  result.details["new_tokens_each"] = load.num_new_tokens;
  return result;
}

}  // namespace plumb
