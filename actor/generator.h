#pragma once
// The actor: prompts in, groups of completions out, by continuous batching over the policy's paged cache. A prompt is
// computed once for all of its completions, and once for later prompts that begin alike.
//
// A completion depends on (purpose, seed, prompt id, draw, sample index) and the weights alone; batch size, order and
// thread count are free (docs/architecture.md, "Exact").

#include <functional>
#include <memory>
#include <optional>
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
  std::optional<SamplingOptions> sampling;  // where it differs from GeneratorOptions::sampling
};

struct GeneratorOptions {
  SamplingOptions sampling;
  RngPurpose purpose = RngPurpose::kSampling;
  std::uint64_t seed = 0;
  int max_batch = 64;                                // sequences decoded together; changes speed only
  std::int64_t cache_bytes = std::int64_t{1} << 30;  // of keys and values; a small one only makes it slower
  std::int64_t prefill_chunk = 2048;                 // prompt tokens read in one step, beside the decoding sequences
  /// Called after each token from the calling thread: request, sample, and the completion so far (its text comes at the
  /// end). For displays.
  std::function<void(std::size_t, int, const Completion&)> on_token;
  bool keep_cache = false;  // prompts stay in the cache for the next call, until the weights change
};

/// What happened between two decode steps. New weights (Policy::commit_update) may land here: every token keeps the
/// version it was sampled with, and nothing that older weights computed is used again.
struct GenerationProgress {
  std::int64_t finished = 0;  // completions
  std::int64_t total = 0;
  std::int64_t new_tokens = 0;  // sampled so far
  std::int64_t preempted = 0;   // times a completion lost its place in the cache and was read again
  std::int64_t rows = 0;        // tokens that went through the model: of prompts and completions, once where several
                                // begin alike (of other processes' completions as if none did)
  std::int64_t head_rows = 0;   // of them, those that went through its head
};

/// Why a request cannot be generated: an empty prompt, a token id outside the vocabulary, a bad sampling option, a
/// context longer than the model's, or a cache budget too small for one completion. Names the prompt and what to
/// change.
Result<void> check_request(const GenerationRequest& request, const GeneratorOptions& options, const Policy& policy);

namespace internal {
struct VersionedCache;
}

/// Whatever completes prompts: a Generator, or processes that have one each (actor/processes/).
class CompletionSource {
 public:
  virtual ~CompletionSource() = default;

  /// Groups in request order, completions in sample order. `on_group`, where given, gets each group's index as soon as
  /// all of its completions are there, from the calling thread. Returning false from `on_progress` stops early: the
  /// completions that had not ended are then kAborted.
  /// Errors: of check_request() for the first bad request, before anything is sampled; logits that are not numbers; a
  /// request whose options forbid every token.
  virtual Result<std::vector<CompletionGroup>> generate(
      std::span<const GenerationRequest> requests, const GeneratorOptions& options,
      const std::function<bool(const GenerationProgress&)>& on_progress = {},
      const std::function<void(std::size_t, const CompletionGroup&)>& on_group = {}) = 0;
};

class Generator final : public CompletionSource {
 public:
  /// All of them outlive the generator.
  Generator(Policy& policy, const Tokenizer& tokenizer, ThreadPool& pool);
  ~Generator() override;

  Result<std::vector<CompletionGroup>> generate(
      std::span<const GenerationRequest> requests, const GeneratorOptions& options,
      const std::function<bool(const GenerationProgress&)>& on_progress = {},
      const std::function<void(std::size_t, const CompletionGroup&)>& on_group = {}) override;

 private:
  Policy& policy_;
  const Tokenizer& tokenizer_;
  ThreadPool& pool_;
  std::unique_ptr<internal::VersionedCache> cache_;
};

}  // namespace plumb
