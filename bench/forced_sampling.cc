#include "bench/forced_sampling.h"

#include <span>
#include <utility>

#include "actor/sampling.h"
#include "bench/flop.h"
#include "core/rng.h"
#include "learner/batching.h"

namespace plumb {
namespace {

class ForcedRun {
 public:
  ForcedRun(Policy& policy, ThreadPool& pool, const SamplingLoad& load, std::uint64_t seed)
      : policy_(policy), load_(load), seed_(seed), scratch_(static_cast<std::size_t>(pool.num_threads())) {
    const auto num_samples = static_cast<std::size_t>(load.samples_per_prompt);
    samples_.token_ids.resize(load.prompts.size());
    samples_.log_probs.resize(load.prompts.size());
    for (std::size_t p = 0; p < load.prompts.size(); ++p) {
      samples_.token_ids[p].resize(num_samples);
      samples_.log_probs[p].resize(num_samples);
    }
  }

  ForcedSamples run();

 private:
  struct Sequence {
    SequenceId id = 0;
    std::size_t prompt = 0;
    std::size_t sample = 0;
  };

  std::vector<Sequence> read_prompts(KvCache& cache);
  void sample_into(std::size_t prompt, std::size_t sample, int worker, std::span<const float> logits);

  Policy& policy_;
  const SamplingLoad& load_;
  std::uint64_t seed_;
  std::vector<std::vector<float>> scratch_;
  ForcedSamples samples_;
};

void ForcedRun::sample_into(std::size_t prompt, std::size_t sample, int worker, std::span<const float> logits) {
  std::vector<std::int32_t>& ids = samples_.token_ids[prompt][sample];
  const RngStream stream(RngPurpose::kSampling, seed_, prompt, 0, static_cast<std::uint32_t>(sample));
  const SampledToken token = sample_token(logits, 1.0F, stream, static_cast<std::uint32_t>(ids.size()),
                                          scratch_[static_cast<std::size_t>(worker)]);
  ids.push_back(token.id);
  samples_.log_probs[prompt][sample].push_back(token.log_prob);
}

// Computes every prompt once, draws the first tokens, and gives each completion a sequence of its own.
std::vector<ForcedRun::Sequence> ForcedRun::read_prompts(KvCache& cache) {
  std::vector<ExtendRequest> requests;
  for (const std::vector<std::int32_t>& prompt : load_.prompts) {
    requests.push_back({.sequence = cache.add_sequence(), .token_ids = prompt, .want_logits = true});
  }
  const auto num_samples = static_cast<std::size_t>(load_.samples_per_prompt);
  policy_.extend(cache, requests, [&](std::int64_t index, int worker, std::span<float> logits) {
    for (std::size_t sample = 0; sample < num_samples; ++sample) {
      sample_into(static_cast<std::size_t>(index), sample, worker, logits);
    }
  });
  std::vector<Sequence> sequences;
  for (std::size_t prompt = 0; prompt < requests.size(); ++prompt) {
    for (std::size_t sample = 1; sample < num_samples; ++sample) {
      sequences.push_back({cache.fork(requests[prompt].sequence), prompt, sample});
    }
    sequences.push_back({requests[prompt].sequence, prompt, 0});
  }
  return sequences;
}

ForcedSamples ForcedRun::run() {
  const double start = now_s();
  const auto cache = policy_.make_cache(std::int64_t{4} << 30);
  const std::vector<Sequence> sequences = read_prompts(*cache);
  samples_.prompt_seconds = now_s() - start;
  std::vector<ExtendRequest> requests(sequences.size());
  for (std::int64_t t = 1; t < load_.num_new_tokens; ++t) {
    for (std::size_t i = 0; i < sequences.size(); ++i) {
      const Sequence& s = sequences[i];
      requests[i] = {
          .sequence = s.id, .token_ids = {&samples_.token_ids[s.prompt][s.sample].back(), 1}, .want_logits = true};
    }
    policy_.extend(*cache, requests, [&](std::int64_t index, int worker, std::span<float> logits) {
      const Sequence& s = sequences[static_cast<std::size_t>(index)];
      sample_into(s.prompt, s.sample, worker, logits);
    });
  }
  samples_.seconds = now_s() - start;
  return std::move(samples_);
}

}  // namespace

ForcedSamples sample_forced(Policy& policy, ThreadPool& pool, const SamplingLoad& load, std::uint64_t seed) {
  return ForcedRun(policy, pool, load, seed).run();
}

std::vector<float> score_log_probs(Policy& policy, const SamplingLoad& load, const ForcedSamples& samples) {
  std::vector<float> all;
  for (std::size_t prompt = 0; prompt < load.prompts.size(); ++prompt) {
    SharedPromptSequences sequences{load.prompts[prompt], {}};
    for (const std::vector<std::int32_t>& ids : samples.token_ids[prompt]) {
      sequences.completions.emplace_back(ids);
    }
    PackedSequences packed;
    append_sequences(sequences, packed);
    const std::vector<float> scored = packed.by_token(policy.score(packed.batch, packed.targets).log_probs);
    all.insert(all.end(), scored.begin(), scored.end());
  }
  return all;
}

std::vector<float> sampled_log_probs(const ForcedSamples& samples) {
  std::vector<float> all;
  for (const auto& prompt : samples.log_probs) {
    for (const std::vector<float>& log_probs : prompt) {
      all.insert(all.end(), log_probs.begin(), log_probs.end());
    }
  }
  return all;
}

bool log_probs_equal_score(Policy& policy, const SamplingLoad& load, const ForcedSamples& samples) {
  return score_log_probs(policy, load, samples) == sampled_log_probs(samples);
}

double sampling_flop(const ModelConfig& config, const SamplingLoad& load) {
  double flop = 0;
  for (const std::vector<std::int32_t>& prompt : load.prompts) {
    const auto length = static_cast<std::int64_t>(prompt.size());
    // The last sampled token is not read again.
    const std::int64_t rows = load.num_new_tokens - 1;
    flop += forward_flop(config, {.start_position = 0, .num_tokens = length, .num_logit_rows = 1});
    flop += static_cast<double>(load.samples_per_prompt) *
            forward_flop(config, {.start_position = length, .num_tokens = rows, .num_logit_rows = rows});
  }
  return flop;
}

}  // namespace plumb
