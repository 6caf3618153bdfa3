#include <algorithm>
#include <utility>

#include "bench/copy_loop.h"
#include "bench/forced_sampling.h"
#include "bench/load.h"
#include "core/trace.h"
#include "tensor/buffer.h"

namespace plumb {

Result<BenchResult> bench_decode(Policy& policy, ThreadPool& pool, const SamplingLoad& load) {
  constexpr std::uint64_t kSeed = 2;
  ForcedSamples best = sample_forced(policy, pool, load, kSeed);
  if (!log_probs_equal_score(policy, load, best)) {
    return Error{"bench decode: a sampled token's log-prob differs from the one that the learner gives it"};
  }
  // As many bytes as the packed weights of a token's products.
  const std::int64_t weight_bytes = policy.weight_bytes();
  AlignedBuffer<float> from(weight_bytes / 4);
  AlignedBuffer<float> to(weight_bytes / 4);
  from.fill_zero();
  to.fill_zero();
  restart_trace();
  double copy = copy_seconds(from.span(), to.span(), 1, pool);
  for (int repetition = 0; repetition < load.repetitions; ++repetition) {
    ForcedSamples next = sample_forced(policy, pool, load, kSeed);
    if (repetition == 0 || next.seconds - next.prompt_seconds < best.seconds - best.prompt_seconds) {
      best = std::move(next);
    }
    copy = std::min(copy, copy_seconds(from.span(), to.span(), 3, pool));
  }
  BenchResult result;
  result.name = "decode";
  result.seconds = best.seconds - best.prompt_seconds;
  result.tokens = load.num_new_tokens - 1;  // the first one came with the prompt
  result.flop = sampling_flop(policy.config(), load);
  result.threads = pool.num_threads();
  result.dtype = policy.dtype();
  result.checked = "the log-prob of every sampled token equals the learner's";
  // A copy reads and writes its bytes; a token reads the weights once.
  const double allowed = 2.0 / copy;
  result.details = {{"weight_bytes", weight_bytes},
                    {"copy_loop_seconds", copy},
                    {"copy_loop_gb_per_second", 2e-9 * static_cast<double>(weight_bytes) / copy},
                    {"copy_loop_allows_tokens_per_second", allowed},
                    {"fraction_of_copy_loop", result.tokens_per_second() / allowed}};
  return result;
}

}  // namespace plumb
