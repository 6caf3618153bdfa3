#pragma once
// Sampling as the generator does it, but for a length that is given: prompts once, then all completions together.

#include <cstdint>
#include <vector>

#include "bench/load.h"
#include "core/thread_pool.h"
#include "policy/policy.h"

namespace plumb {

/// Completions by prompt, then sample.
struct ForcedSamples {
  std::vector<std::vector<std::vector<std::int32_t>>> token_ids;
  std::vector<std::vector<std::vector<float>>> log_probs;
  double prompt_seconds = 0;
  double seconds = 0;  // prompts included
};

/// Random numbers are a function of (seed, prompt index, sample, position).
ForcedSamples sample_forced(Policy& policy, ThreadPool& pool, const SamplingLoad& load, std::uint64_t seed);

/// score()'s log-probs of the sampled tokens: of all samples of a prompt one after the other, prompt by prompt.
std::vector<float> score_log_probs(Policy& policy, const SamplingLoad& load, const ForcedSamples& samples);

/// Those that they were sampled with, in the same order.
std::vector<float> sampled_log_probs(const ForcedSamples& samples);

/// Whether score() gives every token the log-prob that it was sampled with, bit for bit.
bool log_probs_equal_score(Policy& policy, const SamplingLoad& load, const ForcedSamples& samples);

/// Flop of sample_forced().
double sampling_flop(const ModelConfig& config, const SamplingLoad& load);

}  // namespace plumb
