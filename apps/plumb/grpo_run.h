#pragma once
// A run of GRPO from its first step, or a checkpoint, to its last: the main flow of training is step() in grpo_run.cc.

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "apps/plumb/checkpoint_writer.h"
#include "apps/plumb/dev_watch.h"
#include "apps/plumb/grpo_metrics.h"
#include "apps/plumb/idle_share.h"
#include "apps/plumb/proxy_guard.h"
#include "apps/plumb/reward_model_signal.h"
#include "apps/plumb/rollout_source.h"
#include "apps/plumb/run_context.h"
#include "apps/plumb/spread_gate.h"
#include "apps/plumb/stage_grpo.h"
#include "core/progress.h"
#include "datasets/sampler.h"
#include "eval/health.h"
#include "learner/grpo.h"

namespace plumb {

/// What a run is made of, beside its context.
struct GrpoRunParts {
  PromptSampler sampler;
  DevWatch dev;
  GrpoLearnerOptions learning;
  std::unique_ptr<ReferencePolicy> reference;       // or null
  std::unique_ptr<RewardModelSignal> reward_model;  // or null
};

class GrpoRun {
 public:
  GrpoRun(RunContext& context, GrpoRunParts parts);

  /// Goes on from the newest whole checkpoint, if there is one, and opens the logs behind it.
  Result<void> resume();
  /// As run_grpo_stage().
  Result<GrpoSummary> run(std::int64_t last_step);

 private:
  Result<void> remember_steps();
  Result<void> open_source(std::int64_t num_rollouts);
  Result<bool> step(Progress& progress);
  Result<bool> stop_without_scores(const std::string& fault);
  [[nodiscard]] Result<void> check_finite(const GrpoStepStats& stats) const;
  Result<void> watch_proxy(Progress& progress, const MetricMap& proxy);
  TrainedParts parts();
  GrpoStepStats learn(const std::vector<ScoredGroup>& groups);
  Result<void> checkpoint();

  // grpo_run_report.cc
  Result<void> report(Progress& progress, const Rollout& rollout, const GrpoStepStats& stats, const StepTimes& times,
                      const MetricMap& extra);
  [[nodiscard]] std::size_t num_saved() const { return static_cast<std::size_t>(settings_.grpo.saved_groups); }
  Result<void> save_samples(std::span<const ScoredGroup> groups, std::size_t begin, std::size_t end,
                            const GrpoStepStats& stats);

  RunContext& context_;
  const Settings& settings_;
  Workbench& bench_;
  RunFolder& folder_;
  GrpoLearnerOptions learning_;
  std::unique_ptr<ReferencePolicy> reference_;
  std::unique_ptr<RewardModelSignal> reward_model_;
  Optimizer optimizer_;
  GrpoLearner learner_;
  Scorer scorer_;
  PromptSampler sampler_;  // where the run stands when it starts; from then on the source has its own
  DevWatch dev_;
  GeneratorOptions generation_;
  HealthMonitor health_;
  ProxyGuard proxy_guard_;
  std::optional<SpreadGate> spread_;  // null where it would say nothing true
  IdleShare idle_;
  TrainerState state_;
  double epoch_ = 0;
  double last_checkpoint_s_ = 0;  // of its beginning; counted to the step that comes after it
  CheckpointWriter checkpoints_;
  std::unique_ptr<RolloutSource> source_;  // last: it stops before what it uses goes
};

}  // namespace plumb
