#pragma once
// The [reward] section of a config: what a solved task is worth beside what only shapes the way to it.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/config.h"
#include "core/records.h"
#include "core/result.h"
#include "reward/rules/custom/custom_options.h"

namespace plumb {

enum class CodeScoring { kAllOrNothing, kFraction };

/// What code is rewarded by in training: its verdicts and shaping, a reward model that was trained on such verdicts, or
/// a weighted sum of both. DeepSeek-Coder-V2 (arXiv 2406.11931, section 4.2) trains a reward model on the compiler's
/// feedback because few tests make the raw 0 or 1 noisy. Maths keeps its verdicts.
enum class CodeSignal { kTests, kRewardModel, kMix };

/// Whether the steps of a completion are rewarded one by one, and by what: nothing, or a reward model of steps (process
/// supervision: learner/step_advantages.h).
enum class ProcessSignal { kNone, kRewardModel };

/// Sum the parts, then let the learner normalise within the group; or normalise each part within the group first (as
/// GDPO does), so that a part with little spread is not drowned by one with much.
enum class PartCombination { kSumThenNormalise, kNormaliseThenSum };

/// Weights of the shaping parts by part name ("fraction", "ran", ...); a part that is not named is not computed.
using PartWeights = std::map<std::string, double, std::less<>>;

/// Which parts a score has. The verdict part (all tests pass, the answer is equal) has whatever weight the shaping
/// parts leave, so that a perfect completion scores exactly 1; shaping weighs less than 0.5 in all, so that no unsolved
/// task outscores a solved one. The defaults are the verdict alone.
struct RewardOptions {
  CodeScoring code = CodeScoring::kAllOrNothing;
  double fraction_weight = 0.3;
  double ran_weight = 0;
  double near_miss_weight = 0;
  std::vector<std::string> forbidden;
  double forbidden_weight = 0.05;
  double findings_weight = 0;
  std::vector<std::string> findings = {"high=1", "medium=0.5", "low=0.25"};
  double format_weight = 0;
  double length_weight = 0;
  int length_limit = 0;
  int length_buffer = 0;
  double repetition_weight = 0;
  double custom_weight = 0;
  CustomRewardOptions custom;
  PartCombination combine = PartCombination::kSumThenNormalise;
  CodeSignal code_signal = CodeSignal::kTests;
  std::string reward_model;          // the folder of a `plumb reward-model` run
  double reward_model_weight = 0.5;  // of the mix
  ProcessSignal process = ProcessSignal::kNone;
  double outcome_weight = 1;                // of the outcome's advantage beside the steps'
  std::vector<std::string> source_weights;  // "data_source: part=weight ...", overriding the keys above

  void describe(ConfigSection& section);

  /// Errors: shaping weights of 0.5 or more together (for some data source), an unknown part, a line of
  /// source_weights that cannot be read, a code_signal or process without its reward_model, a custom reward that is
  /// weighed and not named, or named and not weighed; the key is named.
  [[nodiscard]] Result<void> check() const;

  /// The parts that say whether a task is solved, without shaping: what evaluations count.
  [[nodiscard]] RewardOptions verdicts() const;

  /// The reward model's share of a code completion's total: 0, 1, or reward_model_weight.
  [[nodiscard]] double reward_model_share() const;

  /// Whether a run needs `reward_model`.
  [[nodiscard]] bool uses_reward_model() const;

  /// Whether rewards are more than verdicts for some data source: a reward model has a share or scores steps, a
  /// custom reward is the verdict (any number from 0 to 1), or some part beside the verdict has a weight. The part
  /// "forbidden" is not counted: it is all or nothing, as a verdict is.
  [[nodiscard]] bool is_graded() const;

  /// The shaping weights for prompts of `data_source`. check() must have passed.
  [[nodiscard]] PartWeights weights(std::string_view data_source) const;

  /// The same for one prompt: where only its own row forbids names, forbidden_weight counts too, or what is left below
  /// one half.
  [[nodiscard]] PartWeights weights(const PromptRecord& prompt) const;
};

/// What a static finding takes off the part "findings", by options.findings: of its CWE number, else of its severity,
/// else nothing. check() must have passed.
double finding_penalty(const std::vector<std::string>& findings, int cwe, std::string_view severity);

/// Whether some part needs the outcome of every test, so that judging may not stop at the first failure.
bool needs_all_tests(const PartWeights& weights);

}  // namespace plumb
