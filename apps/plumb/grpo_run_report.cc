// What a step of GRPO says: its lines of the logs, its samples, and words for whoever watches.

#include <fmt/format.h>

#include <algorithm>

#include "apps/plumb/grpo_run.h"
#include "apps/plumb/grpo_samples.h"
#include "apps/plumb/layer_norms.h"
#include "apps/plumb/roof.h"
#include "eval/samples.h"

namespace plumb {

Result<void> GrpoRun::report(Progress& progress, const Rollout& rollout, const GrpoStepStats& stats,
                             const StepTimes& times, const MetricMap& extra) {
  MetricMap metrics = grpo_metrics(rollout.groups, stats, state_.num_tokens, epoch_);
  metrics.insert(extra.begin(), extra.end());
  add_layer_norms(settings_.run.layer_norms && stats.num_updates + stats.skipped_updates > 0, optimizer_, metrics);
  const double head_flop = head_flop_per_token(context_.shape());
  const RoofShare share{forward_flop_per_token(context_.shape()) - head_flop, head_flop, context_.roof_gflops()};
  MetricMap timings = grpo_timings(times, rollout, stats, share);
  if (dev_.seconds() > 0) {
    timings["timing_s/eval"] = dev_.seconds();
  }
  PLUMB_TRY(folder_.log("grpo", state_.step, metrics, timings));
  PLUMB_TRY(save_samples(rollout.groups, 0, num_saved(), stats));
  progress.line(step_line(state_.step, settings_.grpo.steps, metrics, times));
  if (stats.skipped_updates > 0) {
    progress.line(fmt::format("note: {} of {} updates of step {} changed nothing: their gradient is not finite",
                              stats.skipped_updates, stats.skipped_updates + stats.num_updates, state_.step));
  }
  for (const HealthMessage& message : health_.observe(state_.step, metrics)) {
    progress.line((message.warning ? "warning: " : "note: ") + message.text);
  }
  if (const auto verdict = spread_ ? spread_->observe(rollout.groups) : std::nullopt) {
    progress.line(*verdict);
  }
  progress.update(state_.step);
  return {};
}

// Of the groups [begin, end), as far as there are so many.
Result<void> GrpoRun::save_samples(std::span<const ScoredGroup> groups, std::size_t begin, std::size_t end,
                                   const GrpoStepStats& stats) {
  for (std::size_t g = begin; g < std::min(end, groups.size()); ++g) {
    const ScoredGroup& group = groups[g];
    for (std::size_t i = 0; i < group.scores.size(); ++i) {
      SampleRecord record = training_sample(group, i, bench_.tokenizer(), stats, g);
      record.step = state_.step;
      record.temperature = settings_.sampling.temperature;
      PLUMB_TRY(folder_.add_sample(to_json(record)));
    }
  }
  return {};
}

}  // namespace plumb
