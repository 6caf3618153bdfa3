#pragma once
// One call of Generator::generate. Inside the actor: use actor/generator.h.

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <vector>

#include "actor/generator.h"
#include "actor/prefix_cache.h"
#include "actor/stop_matcher.h"
#include "core/fence.h"

namespace plumb::internal {

/// Pages and prompts of one weight version.
struct VersionedCache {
  VersionedCache(const Policy& policy, std::int64_t budget_bytes)
      : pages(policy.make_cache(budget_bytes)), prefixes(*pages), version(policy.version()) {}

  [[nodiscard]] std::int64_t free_pages() const { return pages->free_tokens() / pages->page_tokens(); }
  [[nodiscard]] std::int64_t pages_for(std::int64_t tokens) const {
    return (tokens + pages->page_tokens() - 1) / pages->page_tokens();
  }

  std::unique_ptr<KvCache> pages;
  PrefixCache prefixes;
  std::int64_t version;
};

class GenerationRun {
 public:
  GenerationRun(Policy& policy, const Tokenizer& tokenizer, int num_workers,
                std::span<const GenerationRequest> requests, const GeneratorOptions& options,
                std::unique_ptr<VersionedCache>& cache,
                const std::function<void(std::size_t, const CompletionGroup&)>& on_group);

  Result<std::vector<CompletionGroup>> run(const std::function<bool(const GenerationProgress&)>& on_progress);

 private:
  /// Sample `second` of request `first`. Lower ones go first: they are admitted first and pre-empted last.
  using Unit = std::pair<std::size_t, int>;

  /// A completion that has begun: in the cache (live), or waiting to get back there (parked).
  struct Begun {
    SequenceId sequence = 0;  // shared with the samples of the request that have the same tokens so far
    RngStream stream;
    StopAfterCodeBlock fence;
    StopMatcher stops;
    std::int64_t cached = 0;  // completion tokens in the cache; all but the last while it decodes
  };

  /// A prompt that is read into the cache for some of its samples.
  struct Prefill {
    std::size_t request = 0;
    std::vector<int> samples;
    SequenceId sequence = 0;
    std::int64_t cached = 0;                 // prompt tokens
    std::int64_t reads = 0;                  // in this step
    std::vector<SampledToken> first_tokens;  // [samples], of those that have not begun
  };

  /// Live samples that share a sequence, in order.
  struct Bundle {
    SequenceId sequence = 0;
    std::vector<Unit> units;
  };

  void check_version();
  void admit();
  Result<void> step();
  void plan_reads();
  [[nodiscard]] std::int64_t pages_of_step() const;
  bool preempt_last();
  void extend_all();
  [[nodiscard]] std::vector<Bundle> bundles() const;
  void draw_next(const Bundle& bundle, int worker, std::span<float> logits);
  void draw_first(Prefill& prefill, int worker, std::span<float> logits);
  bool make_room(SequenceId copied, const Unit& unit);
  void hold(const Unit& unit, Begun begun, SequenceId sequence);
  void release(SequenceId sequence);
  void start_samples(Prefill& prefill);
  void part_ways();
  Result<void> accept_all();
  Result<void> accept(const Unit& unit, Begun& begun, const SampledToken& token);
  void finish(const Unit& unit, const Begun& begun, FinishReason reason, std::optional<std::size_t> text_bytes);
  void hand_out();

  [[nodiscard]] const SamplingOptions& sampling(std::size_t request) const;
  [[nodiscard]] Begun begin(const Unit& unit) const;
  Completion& completion_of(const Unit& unit) {
    return groups_[unit.first].completions[static_cast<std::size_t>(unit.second)];
  }
  [[nodiscard]] TokenHistory history_of(std::size_t request, std::span<const std::int32_t> completion) const {
    return {requests_[request].prompt_token_ids, completion, tokenizer_.end_ids()};
  }

  Policy& policy_;
  const Tokenizer& tokenizer_;
  std::span<const GenerationRequest> requests_;
  const GeneratorOptions& options_;
  std::unique_ptr<VersionedCache>& cache_;
  const std::function<void(std::size_t, const CompletionGroup&)>& on_group_;
  std::vector<SamplingScratch> scratch_;        // [workers]
  std::vector<std::vector<float>> row_copies_;  // [workers]
  std::vector<CompletionGroup> groups_;
  std::vector<int> unfinished_;         // completions per request
  std::vector<std::size_t> completed_;  // requests whose last completion ended in this step
  std::set<Unit> waiting_;
  std::map<Unit, Begun> parked_;  // begun, in waiting_ too
  std::map<Unit, Begun> live_;
  std::map<SequenceId, int> holders_;   // live units of a sequence
  std::vector<Prefill> prefills_;       // in the order of their units
  std::map<Unit, std::int64_t> reads_;  // of live sequences in this step, tokens
  std::map<Unit, SampledToken> drawn_;  // of live sequences in this step
  GenerationProgress progress_;
};

}  // namespace plumb::internal
