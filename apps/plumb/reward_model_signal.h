#pragma once
// A reward model as the signal that GRPO climbs: the verdicts stay beside it, so that a run sees when the two part.

#include <memory>
#include <string>
#include <vector>

#include "apps/plumb/workbench.h"
#include "core/metrics_log.h"
#include "learner/reward_model.h"

namespace plumb {

class RewardModelSignal {
 public:
  /// Reads the folder that `plumb reward-model` wrote. Errors: no such run, or a model whose tokenizer is not that of
  /// `policy`: the model reads the policy's tokens.
  static Result<std::unique_ptr<RewardModelSignal>> open(const std::string& folder, const ModelSettings& settings,
                                                         const Workbench& policy);

  /// total = (1 - share) total + share sigmoid(r) of every scored code completion, r its reward (learner/
  /// reward_model.h); the other parts' weights shrink likewise, and a part "rm" is added. Deterministic: the same bits
  /// for a completion in any company.
  void apply(double share, std::vector<ScoredGroup>& groups);

  /// Of each code group's completions the place of the one with the highest reward, the first of equal ones, counted
  /// among those that are scored; -1 for other groups.
  std::vector<int> best_of(const std::vector<ScoredGroup>& groups);

 private:
  RewardModelSignal() = default;
  std::vector<double> rewards(const CompletionGroup& group);
  std::unique_ptr<Workbench> bench_;
  JudgeTokens tokens_;
};

/// The file of a reward model's weights below its run folder.
std::string reward_model_weights(const std::string& folder);

/// reward/proxy: the mean total of the scored code completions, what is climbed; reward/gold: the share of them that
/// solve their task, what is meant. Empty where there is no code.
MetricMap proxy_metrics(const std::vector<ScoredGroup>& groups);

}  // namespace plumb
