#pragma once
// The actor: prompts in, groups of completions out, by continuous batching over the policy's paged cache. A prompt is
// computed once for all of its completions.
//
// A completion depends on (purpose, seed, prompt id, draw, sample index) and the weights alone; batch size, order and
// thread count are free (docs/architecture.md, "Exact").

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "actor/sampling.h"
#include "core/records.h"
#include "core/rng.h"
#include "core/thread_pool.h"
#include "policy/policy.h"
#include "tokenizer/tokenizer.h"

namespace plumb {

/// G completions of one tokenised prompt.
struct GenerationRequest {
  std::shared_ptr<const PromptRecord> prompt;
  std::vector<std::int32_t> prompt_token_ids;  // [P] with the chat template applied; not empty
  std::uint32_t draw = 0;
  int num_samples = 1;
};

struct GeneratorOptions {
  SamplingOptions sampling;
  RngPurpose purpose = RngPurpose::kSampling;
  std::uint64_t seed = 0;
  int max_batch = 64;                                // sequences decoded together; changes speed only
  std::int64_t cache_bytes = std::int64_t{1} << 30;  // of keys and values
};

/// What happened between two decode steps; for progress displays.
struct GenerationProgress {
  std::int64_t finished = 0;  // completions
  std::int64_t total = 0;
  std::int64_t new_tokens = 0;  // sampled so far
};

class Generator {
 public:
  /// All of them outlive the generator.
  Generator(Policy& policy, const Tokenizer& tokenizer, ThreadPool& pool);

  /// Groups in request order, completions in sample order. `on_group`, where given, gets each group's index as soon as
  /// all of its completions are there, from the calling thread. Returning false from `on_progress` stops early: the
  /// completions that had not ended are then kAborted.
  /// Errors: a prompt that does not fit the model's context, or a cache budget too small for one sequence.
  Result<std::vector<CompletionGroup>> generate(
      std::span<const GenerationRequest> requests, const GeneratorOptions& options,
      const std::function<bool(const GenerationProgress&)>& on_progress = {},
      const std::function<void(std::size_t, const CompletionGroup&)>& on_group = {});

 private:
  Policy& policy_;
  const Tokenizer& tokenizer_;
  ThreadPool& pool_;
};

}  // namespace plumb
