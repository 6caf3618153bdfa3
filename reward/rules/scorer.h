#pragma once
// Completions in, scores out. Code is judged by running it (compiler_sandbox), maths by exact comparison. A fault of
// our own leaves a completion unscored; it is never a reward of 0.

#include <memory>
#include <span>
#include <vector>

#include "compiler_sandbox/judge.h"
#include "core/metrics_log.h"
#include "core/records.h"
#include "reward/rules/custom/custom_reward.h"
#include "reward/rules/math_worker.h"
#include "reward/rules/reward_options.h"
#include "reward/rules/scoring_fault.h"

namespace plumb {

struct ScorerOptions {
  bool audit = false;  // also judge passing code by the audit suite: fills Score::audit, never the reward
  bool stop_at_first_failure = true;  // where the first failing test decides (needs_all_tests() is false)
  Limits limits = {};
  MathOptions math = {};
  MathWorkerOptions math_worker = {};
  RewardOptions reward = {};
  CustomScoreStore* custom_scores = nullptr;  // outlives the scorer; null: custom scores are not remembered
  KnownFaults known_faults = {};              // what had one is not asked about again, and is unscored; empty: none had
};

/// `source` with the graded tests of `prompt`, all of which are run.
Submission make_submission(const PromptRecord& prompt, const std::string& source, const Limits& limits);

/// Reward of code: 1 if the first closed code block passes all tests of its prompt, else 0 (0 without such a block),
/// mixed with the shaping parts that options.reward asks for (reward/rules/code_parts.h). Reward of maths: 1 if the
/// extracted answer equals the truth (docs/math.md); undecided and absent answers earn 0, with the reason. A maths
/// worker that is missing or dies leaves a completion unscored. Where options.reward.custom is the verdict, nothing
/// else is asked; where it is a part, its fault leaves a completion unscored too. With options.audit,
/// Score::audit of a code completion is 1 or 0, and 0 without being run where the graded tests fail already; a fault
/// during the audit leaves it empty. Scores depend on prompt and text alone: equal programs for the same prompt are
/// judged once a call and share their evidence.
class Scorer {
 public:
  /// `judge` outlives the scorer.
  Scorer(Judge& judge, ScorerOptions options);

  /// Starts its maths worker now instead of at the first question.
  Result<void> start() { return math_worker_->start(); }

  /// Groups and completions keep their order.
  std::vector<ScoredGroup> score(std::vector<CompletionGroup> groups);

 private:
  Judge& judge_;
  ScorerOptions options_;
  std::unique_ptr<MathWorker> math_worker_;
  std::unique_ptr<CustomReward> custom_;  // null where there is none
};

/// The reward and completions metrics of one step (core/metric_names.h): reward, reward_std, reward/<part>/mean,
/// reward/audit_gap (where any audit was asked), frac_reward_zero_std, groups/unscored, completions/*. Where scores
/// have more than one part, also reward/<part>/std (mean over groups, ddof 1) and reward/shaping_only_gain: of the
/// advantages before scaling, sum |A| over all completions, the share that comes from other parts than verdicts.
/// Unscored completions count in the completions/* values only. NaN where there is nothing to average.
MetricMap reward_metrics(std::span<const ScoredGroup> groups);

}  // namespace plumb
