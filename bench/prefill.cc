#include <algorithm>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include "bench/flop.h"
#include "bench/load.h"
#include "core/rng.h"
#include "core/trace.h"
#include "tensor/buffer.h"
#include "tensor/log_softmax.h"

namespace plumb {
namespace {

using TokenIds = std::vector<std::int32_t>;

std::vector<TokenIds> random_prompts(const ModelConfig& config, std::int64_t count, std::int64_t length) {
  std::vector<TokenIds> prompts;
  for (std::int64_t p = 0; p < count; ++p) {
    const RngStream stream(RngPurpose::kData, 8, static_cast<std::uint64_t>(p));
    TokenIds& ids = prompts.emplace_back();
    for (std::int64_t t = 0; t < length; ++t) {
      ids.push_back(static_cast<std::int32_t>(
          stream.below(static_cast<std::uint64_t>(config.vocab_size), static_cast<std::uint32_t>(t))));
    }
  }
  return prompts;
}

struct Prefilled {
  std::vector<float> log_probs;  // of token 0 after each prompt
  double seconds = 0;
};

// All prompts together, `chunk` tokens of each at a time.
Prefilled prefill(Policy& policy, const std::vector<TokenIds>& prompts, std::int64_t chunk) {
  Prefilled result;
  result.log_probs.resize(prompts.size());
  const double start = now_s();
  const auto cache = policy.make_cache(std::int64_t{8} << 30);
  std::vector<SequenceId> ids;
  for (std::size_t p = 0; p < prompts.size(); ++p) {
    ids.push_back(cache->add_sequence());
  }
  const auto length = static_cast<std::int64_t>(prompts[0].size());
  for (std::int64_t begin = 0; begin < length; begin += chunk) {
    const std::int64_t count = std::min(chunk, length - begin);
    std::vector<ExtendRequest> requests;
    for (std::size_t p = 0; p < prompts.size(); ++p) {
      requests.push_back(
          {.sequence = ids[p],
           .token_ids = std::span(prompts[p]).subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(count)),
           .want_logits = begin + count == length});
    }
    policy.extend(*cache, requests, [&](std::int64_t index, int, std::span<float> logits) {
      result.log_probs[static_cast<std::size_t>(index)] =
          log_prob_of(logits[0], 1.0F, logit_stats(logits, 1.0F, nullptr));
    });
  }
  result.seconds = now_s() - start;
  return result;
}

// The log-prob of token 0 after each prompt, as the learner computes it.
std::vector<float> scored(Policy& policy, const std::vector<TokenIds>& prompts) {
  PackedBatch batch;
  ScoreTargets targets;
  for (const TokenIds& prompt : prompts) {
    const auto length = static_cast<std::int64_t>(prompt.size());
    batch.segments.push_back(
        {.first_row = batch.num_tokens(), .num_tokens = length, .start_position = 0, .parent = -1});
    batch.token_ids.insert(batch.token_ids.end(), prompt.begin(), prompt.end());
    targets.rows.push_back(batch.num_tokens() - 1);
    targets.target_ids.push_back(0);
  }
  return policy.score(batch, targets).log_probs;
}

BenchResult described(const Policy& policy, const ThreadPool& pool, const PrefillLoad& load, double seconds) {
  BenchResult result;
  result.seconds = seconds;
  result.tokens = load.num_prompts * load.tokens_each;
  result.flop =
      static_cast<double>(load.num_prompts) *
      forward_flop(policy.config(), {.start_position = 0, .num_tokens = load.tokens_each, .num_logit_rows = 1});
  result.threads = pool.num_threads();
  result.dtype = policy.dtype();
  result.details = {{"prompts", load.num_prompts}, {"tokens_each", load.tokens_each}, {"chunk", load.chunk}};
  return result;
}

// Bytes of the highest peak of a prefill above what was there before, and of its largest array.
AlignedMemory memory_of_prefill(Policy& policy, const std::vector<TokenIds>& prompts, std::int64_t chunk) {
  reset_aligned_memory();
  const AlignedMemory before = aligned_memory();
  prefill(policy, prompts, chunk);
  AlignedMemory after = aligned_memory();
  after.peak_bytes -= before.live_bytes;
  return after;
}

}  // namespace

Result<BenchResult> bench_prefill(Policy& policy, ThreadPool& pool, const PrefillLoad& load) {
  const std::vector<TokenIds> prompts = random_prompts(policy.config(), load.num_prompts, load.tokens_each);
  if (prefill(policy, prompts, load.chunk).log_probs != scored(policy, prompts)) {
    return Error{"bench prefill: a log-prob after a prompt differs from the learner's"};
  }
  restart_trace();
  double seconds = std::numeric_limits<double>::infinity();
  for (int repetition = 0; repetition < load.repetitions; ++repetition) {
    seconds = std::min(seconds, prefill(policy, prompts, load.chunk).seconds);
  }
  BenchResult result = described(policy, pool, load, seconds);
  result.name = "prefill";
  result.checked = "the log-prob after each prompt equals the learner's";
  return result;
}

Result<BenchResult> bench_long_prefill(Policy& policy, ThreadPool& pool, const PrefillLoad& load) {
  const std::vector<TokenIds> half = random_prompts(policy.config(), 1, load.tokens_each / 2);
  const std::vector<TokenIds> whole = random_prompts(policy.config(), 1, load.tokens_each);
  prefill(policy, half, load.chunk);  // scratch memory of a chunk, once
  const AlignedMemory of_half = memory_of_prefill(policy, half, load.chunk);
  const AlignedMemory of_whole = memory_of_prefill(policy, whole, load.chunk);
  const double growth = static_cast<double>(of_whole.peak_bytes) / static_cast<double>(of_half.peak_bytes);
  if (!(growth < 2.1)) {
    return Error{"bench long-prefill: twice the tokens took " + std::to_string(growth) +
                 " times the memory, which should be linear"};
  }
  const std::int64_t squares = load.tokens_each * load.tokens_each;
  const std::int64_t logits = load.tokens_each * policy.config().vocab_size;
  if (of_whole.largest_bytes >= std::min(squares, logits)) {
    return Error{"bench long-prefill: an array of " + std::to_string(of_whole.largest_bytes) +
                 " bytes has room for [T, T] or [T, V] numbers"};
  }
  restart_trace();
  BenchResult result = described(policy, pool, load, prefill(policy, whole, load.chunk).seconds);
  result.name = "long-prefill";
  result.checked = "memory doubles at most where tokens double; no array has room for [T, T] or [T, V] bytes";
  result.details["memory_growth_at_twice_the_tokens"] = growth;
  result.details["peak_bytes"] = of_whole.peak_bytes;
  result.details["largest_array_bytes"] = of_whole.largest_bytes;
  return result;
}

}  // namespace plumb
