#include <algorithm>
#include <limits>
#include <vector>

#include "bench/forced_sampling.h"
#include "bench/load.h"
#include "bench/random_batch.h"
#include "core/rng.h"
#include "tensor/product_path.h"

namespace plumb {
namespace {

// A load on proven tiles and without exactness: the fastest of each.
struct Pair {
  double exact = std::numeric_limits<double>::infinity();
  double inexact = std::numeric_limits<double>::infinity();
  [[nodiscard]] nlohmann::json json() const {
    return {{"exact_seconds", exact}, {"inexact_seconds", inexact}, {"cost", exact / inexact - 1}};
  }
};

class InexactScope {
 public:
  InexactScope() { set_product_path({.path = ProductPath::kUnproven}); }
  ~InexactScope() { set_product_path({}); }
  InexactScope(const InexactScope&) = delete;
  InexactScope& operator=(const InexactScope&) = delete;
};

SamplingLoad sampling_load(const Policy& policy, const ExactnessLoad& load, int samples) {
  SamplingLoad sampling;
  const RngStream stream(RngPurpose::kData, 9);
  std::vector<std::int32_t>& prompt = sampling.prompts.emplace_back();
  for (std::int64_t t = 0; t < load.prompt_tokens; ++t) {
    prompt.push_back(static_cast<std::int32_t>(
        stream.below(static_cast<std::uint64_t>(policy.config().vocab_size), static_cast<std::uint32_t>(t))));
  }
  sampling.samples_per_prompt = samples;
  sampling.num_new_tokens = load.new_tokens;
  return sampling;
}

Result<Pair> time_decoding(Policy& policy, ThreadPool& pool, const ExactnessLoad& load, int samples) {
  constexpr std::uint64_t kSeed = 3;
  const SamplingLoad sampling = sampling_load(policy, load, samples);
  const ForcedSamples first = sample_forced(policy, pool, sampling, kSeed);
  Pair pair;
  for (int repetition = 0; repetition <= load.repetitions; ++repetition) {
    const ForcedSamples exact = sample_forced(policy, pool, sampling, kSeed);
    if (exact.log_probs != first.log_probs) {
      return Error{"bench exactness: a log-prob differs between two repetitions"};
    }
    const InexactScope off;
    const ForcedSamples inexact = sample_forced(policy, pool, sampling, kSeed);
    if (repetition > 0) {  // the first one builds what oneDNN needs
      pair.exact = std::min(pair.exact, exact.seconds - exact.prompt_seconds);
      pair.inexact = std::min(pair.inexact, inexact.seconds - inexact.prompt_seconds);
    }
  }
  return pair;
}

double train_once(Policy& policy, const RandomBatch& batch, ForwardTape& tape) {
  policy.zero_gradients();
  const double start = now_s();
  policy.forward(batch.tokens, batch.targets, tape);
  policy.backward(tape, batch.d_log_probs);
  return now_s() - start;
}

Pair time_training(Policy& policy, const RandomBatch& batch, int repetitions) {
  ForwardTape tape;
  Pair pair;
  for (int repetition = 0; repetition <= repetitions; ++repetition) {
    const double exact = train_once(policy, batch, tape);
    const InexactScope off;
    const double inexact = train_once(policy, batch, tape);
    if (repetition > 0) {
      pair.exact = std::min(pair.exact, exact);
      pair.inexact = std::min(pair.inexact, inexact);
    }
  }
  return pair;
}

}  // namespace

Result<BenchResult> bench_exactness(Policy& policy, ThreadPool& pool, const ExactnessLoad& load) {
  PLUMB_ASSIGN(const Pair one, time_decoding(policy, pool, load, 1));
  PLUMB_ASSIGN(const Pair many, time_decoding(policy, pool, load, load.large_batch));
  const Pair training = time_training(policy, random_batch(policy, load.train), load.repetitions);
  policy.zero_gradients();
  BenchResult result;
  result.name = "exactness";
  result.seconds = training.exact;
  result.tokens = load.train.num_sequences * load.train.tokens_each;
  result.threads = pool.num_threads();
  result.dtype = policy.dtype();
  result.checked = "repetitions on proven tiles give the same log-probs";
  result.details = {{"batch_1", one.json()}, {"large_batch", many.json()}, {"training", training.json()}};
  result.details["large_batch"]["sequences"] = load.large_batch;
  for (const ProductProof& proof : policy.product_proofs()) {
    result.details["products"].push_back({{"name", proof.name},
                                          {"rows_i", proof.rows_i},
                                          {"columns_j", proof.columns_j},
                                          {"tiles_proven", proof.trials.proven},
                                          {"tiles_pinned", proof.trials.pinned}});
  }
  return result;
}

}  // namespace plumb
