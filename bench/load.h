#pragma once
// The loads that the engine is built for, timed on a policy. Each first checks its own result, then times; the
// fastest repetition counts. Flop are what the result needs: 2 for each weight of a product and forward token, 6 for a
// trained one, and causal attention; nothing for padding, for what is computed again, or for logits that nobody asked
// for.

#include <cstdint>
#include <functional>
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
  bool checkpointing = false;  // time it with activation checkpointing as well
};

struct ExactnessLoad {
  TrainLoad train{};
  std::int64_t prompt_tokens = 32;
  std::int64_t new_tokens = 32;
  int large_batch = 64;
  int repetitions = 2;
};

/// Forward and backward of random sequences, every token a target, and AdamW after them (a clock of its own:
/// `step_tokens_per_second` counts all three). Checks that forward()'s log-probs equal score()'s with == and that a
/// step along the gradient raises the objective as the gradient says; with checkpointing also that every gradient has
/// the same bits. The details hold each mode's peak resident set. The policy must be trainable; its weights are put
/// back. Errors: a check fails.
Result<BenchResult> bench_train(Policy& policy, ThreadPool& pool, const TrainLoad& load);

struct AdamWLoad {
  std::int64_t num_parameters = 134515008;  // of SmolLM2-135M
  int repetitions = 5;
};

/// AdamW's update of every parameter beside a plain copy loop over as many bytes, by turns. Checks an updated value.
/// `times_copy_loop` is the quotient.
Result<BenchResult> bench_adamw(ThreadPool& pool, const AdamWLoad& load);

/// Decoding one sequence, the prompt not timed, beside a plain copy loop over as many bytes as the packed weights have.
/// `load` has one prompt and one sample. Checks as bench_rollout().
Result<BenchResult> bench_decode(Policy& policy, ThreadPool& pool, const SamplingLoad& load);

struct PrefillLoad {
  std::int64_t num_prompts = 8;
  std::int64_t tokens_each = 512;
  std::int64_t chunk = 512;  // tokens of each prompt that are fed at once
  int repetitions = 2;
};

/// Reading random prompts into a cache. Checks the log-prob after each prompt against score()'s with ==.
Result<BenchResult> bench_prefill(Policy& policy, ThreadPool& pool, const PrefillLoad& load);

/// Reading one long prompt. Checks that memory is linear in its tokens and that no array has room for [T, T] or [T, V]
/// numbers, by the counters of tensor/buffer.h. `num_prompts` is 1.
Result<BenchResult> bench_long_prefill(Policy& policy, ThreadPool& pool, const PrefillLoad& load);

/// What exactness costs: decoding at batch 1 and 64, and forward and backward, each on proven tiles and with whatever
/// oneDNN offers for the rows at hand, by turns. `tokens` and `seconds` are those of the exact training; the details
/// hold every time, and `cost` as a share of the time without exactness. The policy must be trainable. Errors: an exact
/// result differs between two repetitions.
Result<BenchResult> bench_exactness(Policy& policy, ThreadPool& pool, const ExactnessLoad& load);

/// Latent attention among latents (PolicyOptions::exact = false) beside the exact way: the same load on both, by turns.
/// Checks that the absorbed sampler's log-probs are within `tolerance` of score()'s, in the mean. The details hold the
/// times, the bytes of cache of a token, and the difference of log-probs, mean and largest, in nats. Errors: a model
/// without latent attention; a difference beyond the tolerance.
Result<BenchResult> bench_absorbed(Policy& policy, ThreadPool& pool, const SamplingLoad& load, double tolerance = 0.05);

/// The rewards of a step's completions: [prompts * samples_per_prompt], a prompt's beside each other. `step` makes the
/// work new, so that nothing is answered from a cache. Errors stop the benchmark.
using RewardSource = std::function<Result<std::vector<double>>(int step)>;

/// One step of GRPO: sampling with each prompt computed once for its completions, the rewards (1 for every other
/// completion where no `rewards` are given), the learner's forward and backward (again once for each prompt), AdamW.
/// Checks that every log-prob of the sampler equals the learner's with ==. Moves the policy's weights. `tokens` are the
/// sampled ones. Errors: a log-prob differs, rewards failed, or the update was not made.
Result<BenchResult> bench_grpo_step(Policy& policy, ThreadPool& pool, const SamplingLoad& load,
                                    const RewardSource& rewards = {});

}  // namespace plumb
