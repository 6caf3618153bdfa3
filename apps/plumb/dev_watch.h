#pragma once
// Evaluation on dev within a training run: the curve, the best weights so far, and when there is no more to be had.

#include <nlohmann/json.hpp>
#include <vector>

#include "apps/plumb/run_context.h"
#include "core/metrics_log.h"
#include "policy/policy.h"

namespace plumb {

class DevWatch {
 public:
  /// On grpo.dev_split, every grpo.dev_every steps; with dev_every = 0 it does nothing.
  static DevWatch create(RunContext& context);

  /// Evaluates if `step` is due, as the run's last one always is, eval.samples completions a prompt at the first of
  /// eval.temperatures, and keeps the policy's weights if they are the best yet; of equal ones the first. The metrics
  /// are eval/<split>/...; none where nothing was due. Not stopped by an interrupt: the step has been learned from and
  /// is to be counted.
  Result<MetricMap> after_step(std::int64_t step);

  [[nodiscard]] double seconds() const { return seconds_; }  // of the last evaluation
  /// grpo.dev_patience evaluations in a row were no better than the best.
  [[nodiscard]] bool exhausted() const;
  /// Puts the best weights into the policy; nothing where there are none. The step that they are of, or 0.
  std::int64_t restore_best();

  /// For a checkpoint: one vector per parameter, empty before the first evaluation, and the counters beside it.
  std::vector<std::vector<float>>& best() { return best_; }
  [[nodiscard]] nlohmann::json state() const;
  Result<void> restore(const nlohmann::json& state);

 private:
  explicit DevWatch(RunContext& context) : context_(&context) {}

  RunContext* context_;
  Prompts prompts_;
  std::vector<std::vector<float>> best_;
  std::int64_t best_step_ = 0;
  double best_score_ = 0;
  int since_best_ = 0;  // evaluations
  double seconds_ = 0;
};

}  // namespace plumb
