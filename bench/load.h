#pragma once
// The three loads that the engine is built for, timed on a policy. Each first checks its own result, then times; the
// fastest repetition counts. Flop are what the result needs: 2 for each weight of a product and forward token, 6 for a
// trained one, and causal attention; nothing for padding, for what is computed again, or for logits that nobody asked
// for.

#include <cstdint>
#include <vector>

#include "bench/bench_result.h"
#include "core/result.h"
#include "core/thread_pool.h"
#include "policy/policy.h"

namespace plumb {

/// What to sample: every completion gets exactly `num_new_tokens` tokens at temperature 1, wherever it would have
/// ended.
struct SamplingLoad {
  std::vector<std::vector<std::int32_t>> prompts;  // token ids, none empty
  int samples_per_prompt = 1;
  std::int64_t num_new_tokens = 64;
  int repetitions = 2;
};

/// Sampling, prompts included. Checks that each sampled token's log-prob equals score()'s with ==. `tokens` are the
/// sampled ones. Errors: a log-prob differs.
Result<BenchResult> bench_rollout(Policy& policy, ThreadPool& pool, const SamplingLoad& load);

struct TrainLoad {
  std::int64_t num_sequences = 8;
  std::int64_t tokens_each = 256;
  int repetitions = 2;
};

/// Forward and backward of random sequences, every token a target. Checks that forward()'s log-probs equal score()'s
/// with == and that a step along the gradient raises the objective as the gradient says. The policy must be trainable;
/// its weights are put back. Errors: a check fails.
Result<BenchResult> bench_train(Policy& policy, ThreadPool& pool, const TrainLoad& load);

/// One step of GRPO: sampling with each prompt computed once for its completions, rewards that are 1 for every other
/// completion, the learner's forward and backward (again once for each prompt), AdamW. Checks that every log-prob of
/// the sampler equals the learner's with ==. Moves the policy's weights. `tokens` are the sampled ones. Errors: a
/// log-prob differs, or the update was not made.
Result<BenchResult> bench_grpo_step(Policy& policy, ThreadPool& pool, const SamplingLoad& load);

}  // namespace plumb
