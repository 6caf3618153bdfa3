#pragma once
// Samples of rollouts as rows of training data: demonstrations (what passed: rejection sampling), preference pairs
// (what passed beside what did not), completions with their pass rates, and completions with labels of their steps.

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/result.h"
#include "eval/samples.h"

namespace plumb {

/// Which of the completions that passed are kept where there are more than asked for.
enum class BestBy : std::uint8_t { kReward, kLength };

/// What plumb data sft-from-rollouts and rm-from-rollouts are told.
struct FromRollouts {
  std::vector<std::string> runs;
  std::string out;
  int per_prompt = 4;
  std::int64_t from_step = 0;
  std::vector<std::string> eval_sets;
  BestBy best_by = BestBy::kLength;
  bool pass_rates = false;  // in place of pairs
  bool verdicts = false;    // as pass rates
  bool steps = false;       // in place of pairs
};

/// What completions have to share to be compared. Runs of different data may have one id for different prompts.
struct SampledPrompt {
  std::string id;
  std::string language;
  std::string text;
  auto operator<=>(const SampledPrompt&) const = default;
};

using SamplesByPrompt = std::map<SampledPrompt, std::vector<SampleRecord>>;  // in the order they were sampled

/// Each gives JSON Lines (docs/records.md) of at most options.per_prompt different completions, or pairs, of a prompt,
/// and adds their number to `rows`. A completion is right by the graded tests, by the audit suite where that was asked,
/// and if it ended by itself; one that is right but was cut off is neither right nor wrong.
Result<std::string> demonstrations_of(const SamplesByPrompt& groups, const FromRollouts& options, std::int64_t& rows);
Result<std::string> pairs_of(const SamplesByPrompt& groups, const FromRollouts& options, std::int64_t& rows);
/// Cut off or not, as GRPO rewards them. Errors: a sample whose judging stopped at the first test that failed, unless
/// options.verdicts.
Result<std::string> rated_of(const SamplesByPrompt& groups, const FromRollouts& options, std::int64_t& rows);
/// With labels from all samples of a prompt that are right or wrong (learner/step_labels.h).
Result<std::string> stepped_of(const SamplesByPrompt& groups, const FromRollouts& options, std::int64_t& rows);

}  // namespace plumb
