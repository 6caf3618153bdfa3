#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "bench/forced_sampling.h"
#include "bench/load.h"
#include "policy/weight_set.h"

namespace plumb {
namespace {

constexpr std::uint64_t kSeed = 4;

struct Times {
  double prompts = std::numeric_limits<double>::infinity();
  double decoding = std::numeric_limits<double>::infinity();

  void add(const ForcedSamples& samples) {
    prompts = std::min(prompts, samples.prompt_seconds);
    decoding = std::min(decoding, samples.seconds - samples.prompt_seconds);
  }
};

nlohmann::json describe(const Policy& policy, const Times& times) {
  const auto cache = policy.make_cache(std::int64_t{1} << 30);
  return {{"prompt_seconds", times.prompts},
          {"decoding_seconds", times.decoding},
          {"cache_bytes_of_token", cache->budget_bytes() / cache->free_tokens()}};
}

struct Difference {
  double mean = 0;
  double max = 0;
};

Difference difference_between(std::span<const float> a, std::span<const float> b) {
  Difference difference;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double here = std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
    difference.mean += here / static_cast<double>(a.size());
    difference.max = std::isnan(here) ? here : std::max(difference.max, here);
  }
  return difference;
}

}  // namespace

Result<BenchResult> bench_absorbed(Policy& policy, ThreadPool& pool, const SamplingLoad& load, double tolerance) {
  if (!policy.config().is_latent()) {
    return Error{"bench absorbed: the model has no latent attention (DeepSeek-V2's), so there is nothing to compare"};
  }
  PLUMB_ASSIGN(const auto absorbed, Policy::create(policy.config(), copy_weights(policy).tensors,
                                                   {.dtype = policy.dtype(), .pool = &pool, .exact = false}));
  const ForcedSamples samples = sample_forced(*absorbed, pool, load, kSeed);
  const std::vector<float> sampled = sampled_log_probs(samples);
  const Difference difference = difference_between(sampled, score_log_probs(policy, load, samples));
  if (!(difference.mean <= tolerance)) {
    return Error{
        fmt::format("bench absorbed: log-probs among latents differ from the exact ones by {:.3g} nats in the "
                    "mean, which is more than the roundings that explain {}",
                    difference.mean, tolerance)};
  }
  Times exact_times;
  Times absorbed_times;
  for (int repetition = 0; repetition < load.repetitions; ++repetition) {
    exact_times.add(sample_forced(policy, pool, load, kSeed));
    absorbed_times.add(sample_forced(*absorbed, pool, load, kSeed));
  }
  BenchResult result;
  result.name = "absorbed";
  result.seconds = absorbed_times.prompts + absorbed_times.decoding;
  result.tokens = static_cast<std::int64_t>(sampled.size());
  result.flop = sampling_flop(policy.config(), load);
  result.threads = pool.num_threads();
  result.dtype = policy.dtype();
  result.checked = "log-probs among latents are the exact ones but for roundings";
  result.details = {{"exact", describe(policy, exact_times)},
                    {"absorbed", describe(*absorbed, absorbed_times)},
                    {"logp_difference", {{"mean", difference.mean}, {"max", difference.max}}}};
  return result;
}

}  // namespace plumb
