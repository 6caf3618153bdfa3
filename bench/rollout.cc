#include <algorithm>

#include "bench/forced_sampling.h"
#include "bench/load.h"
#include "core/trace.h"

namespace plumb {

Result<BenchResult> bench_rollout(Policy& policy, ThreadPool& pool, const SamplingLoad& load) {
  constexpr std::uint64_t kSeed = 1;
  ForcedSamples best = sample_forced(policy, pool, load, kSeed);
  if (!log_probs_equal_score(policy, load, best)) {
    return Error{"bench rollout: a sampled token's log-prob differs from the one that the learner gives it"};
  }
  restart_trace();
  for (int repetition = 0; repetition < load.repetitions; ++repetition) {
    ForcedSamples next = sample_forced(policy, pool, load, kSeed);
    if (next.token_ids != best.token_ids) {
      return Error{"bench rollout: the same seed sampled other tokens in another repetition"};
    }
    if (repetition == 0 || next.seconds < best.seconds) {
      best = std::move(next);
    }
  }
  BenchResult result;
  result.name = "rollout";
  result.seconds = best.seconds;
  result.tokens = static_cast<std::int64_t>(load.prompts.size()) * load.samples_per_prompt * load.num_new_tokens;
  result.flop = sampling_flop(policy.config(), load);
  result.threads = pool.num_threads();
  result.dtype = policy.dtype();
  result.checked = "the log-prob of every sampled token equals the learner's";
  result.details = {{"prompts", load.prompts.size()},
                    {"samples_per_prompt", load.samples_per_prompt},
                    {"new_tokens_each", load.num_new_tokens},
                    {"prompt_seconds", best.prompt_seconds}};
  return result;
}

}  // namespace plumb
