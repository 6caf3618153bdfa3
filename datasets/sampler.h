#pragma once
// The order in which a run draws its prompts: counter-based, so that it's a function of seed and ids alone, and
// resumable from a few numbers.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/records.h"
#include "core/result.h"
#include "datasets/spread_history.h"

namespace plumb {

/// A prompt and how often the run had drawn it before: 0 on the first visit. (id, draw) names the completions' streams.
struct PromptDraw {
  std::shared_ptr<const PromptRecord> prompt;
  std::uint32_t draw = 0;
};

/// Which prompts of a list come next.
enum class PromptOrder : std::uint8_t {
  kEpochs,  // every prompt once an epoch, in an order keyed by (seed, list, epoch)
  kSpread,  // weighted by the expected p(1 - p) of what observe() was told: mixed groups are what GRPO learns from
};

/// Draws code and other prompts from two endless lists over the prompts sorted by id: file order does not matter. Code
/// has its natural share of all draws, or more where a batch's minimum asks for it. Not thread-safe; a copy draws the
/// same.
class PromptSampler {
 public:
  /// Errors: no prompts; an id used twice.
  static Result<PromptSampler> create(std::vector<PromptRecord> prompts, std::uint64_t seed,
                                      PromptOrder order = PromptOrder::kEpochs);

  /// The next `n` draws, code first, at least `min_code` (at most `n`) of them code; all of one kind where there is no
  /// other. Where a list ends inside a batch its next epoch goes on, so a batch may hold a prompt twice, with two
  /// draws. With kSpread that happens only where a list is shorter than its part of the batch.
  std::vector<PromptDraw> next_batch(std::size_t n, std::size_t min_code);

  /// Tells what a group of a drawn prompt earned: `successes` of `trials` scored completions. kEpochs ignores it.
  void observe(const std::string& prompt_id, double successes, double trials);

  /// Passes through all prompts so far: the mean over the prompts of how often each was drawn.
  [[nodiscard]] double epoch() const;
  [[nodiscard]] std::size_t num_prompts() const { return code_.prompts.size() + other_.prompts.size(); }

  /// Where the sampler stands, for a checkpoint: {"seed", "prompts" (hash of all ids), "code", "other"}; with kSpread
  /// also {"code_history", "other_history"}.
  [[nodiscard]] nlohmann::json cursor() const;
  /// Goes on from a cursor; the sampler is unchanged on error. Errors: malformed; of another seed or other prompts.
  Result<void> restore(const nlohmann::json& cursor);

 private:
  struct List {
    std::string name;
    std::vector<std::shared_ptr<const PromptRecord>> prompts;  // sorted by id
    std::uint64_t drawn = 0;                                   // in the whole run
    std::vector<std::uint32_t> order;                          // of epoch drawn / prompts.size(), made when first used
    std::uint64_t order_epoch = ~std::uint64_t{0};
    std::optional<SpreadHistory> history;  // with kSpread
  };

  PromptSampler() = default;
  void draw(List& list, std::size_t n, std::vector<PromptDraw>& batch) const;
  PromptDraw next_of_epoch(List& list) const;
  [[nodiscard]] std::size_t code_in_batch(std::size_t n, std::size_t min_code) const;
  [[nodiscard]] std::string prompts_hash() const;

  std::uint64_t seed_ = 0;
  List code_;
  List other_;
};

}  // namespace plumb
