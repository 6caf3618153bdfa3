#pragma once
// One GRPO step in the numbers that users know (core/metric_names.h).

#include "apps/plumb/rollout.h"
#include "core/metrics_log.h"
#include "learner/grpo.h"

namespace plumb {

/// What a step took, in seconds of wall time.
struct StepTimes {
  double sample_s = 0;
  double reward_s = 0;
  double train_s = 0;
  double checkpoint_s = 0;
  double step_s = 0;
  double wait_s = 0;      // of the learner for the rollout
  double idle_share = 0;  // IdleShare's, over the step
};

/// Reward, completion and learner numbers. `num_tokens` and `epoch` count from the start of the run.
MetricMap grpo_metrics(std::span<const ScoredGroup> groups, const GrpoStepStats& stats, std::int64_t num_tokens,
                       double epoch);

/// What perf/fraction_of_roof is a fraction of, and what a token costs.
struct RoofShare {
  double body_flop = 0;  // of a row, forward, but for its head
  double head_flop = 0;
  double roof_gflops = 0;
};

/// Timings and rates of the step. perf/tflop counts the products of sampling (prompts included) and of the learner:
/// rows that are trained on three times, those that the reference, masks, importance or router loads are computed of
/// once; what begins alike once; and a reward model's. Not counted are attention and evaluations. perf/fraction_of_roof
/// is that over the time that the step waited for its rollout and trained.
MetricMap grpo_timings(const StepTimes& times, const Rollout& rollout, const GrpoStepStats& stats,
                       const RoofShare& share);

/// The one line that a step prints.
std::string step_line(std::int64_t step, std::int64_t num_steps, const MetricMap& metrics, const StepTimes& times);

/// Resident memory of this process, MiB; 0 where the kernel does not say.
double resident_mib();

}  // namespace plumb
