#pragma once
// A reward model as the signal that GRPO climbs, of whole code completions or of steps: the verdicts stay beside it, so
// that a run sees when the two part.

#include <memory>
#include <string>
#include <vector>

#include "apps/plumb/workbench.h"
#include "core/metrics_log.h"
#include "learner/reward_model.h"

namespace plumb {

class RewardModelSignal {
 public:
  /// Reads reward.reward_model, the folder that `plumb reward-model` wrote. Errors: no such run, one that did not learn
  /// from steps where reward.process asks for them, or a model whose tokenizer is not that of `policy`: the model reads
  /// the policy's tokens.
  static Result<std::unique_ptr<RewardModelSignal>> open(const RewardOptions& reward, const ModelSettings& settings,
                                                         Workbench& policy);

  /// With a share s of code's rewards a part "rm" of every scored code completion, sigmoid(r) of its reward r
  /// (learner/reward_model.h), takes the share s of the verdicts' weight; shaping and penalties keep theirs. With
  /// reward.process every scored completion of code and maths gets its Score::steps, each sigmoid of the reward at its
  /// end. Deterministic: the same bits for a completion in any company. Yields the floating-point operations of the
  /// products that it took, attention not counted.
  double apply(std::vector<ScoredGroup>& groups);

  /// Of each group's completions of code or maths the place of the one with the highest reward (of a model of steps:
  /// the one whose least step is highest, as `plumb reward-model` tells right from wrong by), the first of equal ones,
  /// counted among those that are scored; -1 for other groups.
  std::vector<int> best_of(const std::vector<ScoredGroup>& groups);

 private:
  RewardModelSignal() = default;
  // What the model reads: a completion's tokens without what ended it, and the end-of-sequence token that it learned
  // from, but for a completion that leaves no room for it in the context.
  [[nodiscard]] std::vector<std::int32_t> read_tokens_of(const Completion& completion, std::size_t prompt_tokens) const;
  struct StepReward {
    std::int64_t end = 0;  // the token after the step's last one, in the completion
    double reward = 0;
  };
  std::vector<double> rewards(const CompletionGroup& group);                        // [completions]
  std::vector<std::vector<StepReward>> step_rewards(const CompletionGroup& group);  // [completions, steps]
  std::vector<double> preferences(const CompletionGroup& group);                    // [completions], to rank them by
  static void score_steps(const std::vector<std::vector<StepReward>>& steps, ScoredGroup& group);
  void count_products(std::size_t prompt_tokens, std::span<const std::vector<std::int32_t>> completions,
                      std::size_t readings);
  std::unique_ptr<Workbench> bench_;
  JudgeTokens tokens_;
  double share_ = 0;
  double body_flop_ = 0;       // of a row
  double head_flop_ = 0;       // of a row that is read
  double flop_ = 0;            // since apply() began
  bool scores_steps_ = false;  // reward.process asks for them
  bool learned_from_steps_ = false;
};

/// Whether the reward model of `reward` learned what reward.process asks for. Errors: it did not, or reward_model.json
/// in its folder is absent or no report.
Result<void> check_reward_model(const RewardOptions& reward);

/// Its report below its run folder, which says what it learned from and which tokens it answers with.
std::string reward_model_report(const std::string& folder);

/// The file of a reward model's weights below its run folder.
std::string reward_model_weights(const std::string& folder);

/// reward/proxy, what is climbed: the mean total of the scored code completions, or, where steps alone are the model's,
/// the mean over completions of their steps' mean score; reward/gold, what is meant: the share of these completions
/// that solve their task. Empty where there are none.
MetricMap proxy_metrics(const std::vector<ScoredGroup>& groups, const RewardOptions& reward);

/// reward/process/mean over all scored steps, and process/steps, their number in a scored completion on average; empty
/// where there are none.
MetricMap step_metrics(const std::vector<ScoredGroup>& groups);

}  // namespace plumb
