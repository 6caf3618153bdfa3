#include "apps/plumb/grpo_metrics.h"

#include <fmt/format.h>
#include <unistd.h>

#include <fstream>

#include "apps/plumb/router_settings.h"

namespace plumb {

MetricMap grpo_metrics(std::span<const ScoredGroup> groups, const GrpoStepStats& stats, std::int64_t num_tokens,
                       double epoch) {
  MetricMap metrics = reward_metrics(groups);
  if (!stats.exact_actor) {
    metrics["sampling/sampling_logp_difference/mean"] = stats.actor_difference_mean;
    metrics["sampling/sampling_logp_difference/max"] = stats.actor_difference_max;
  }
  metrics["frac_reward_zero_std"] = stats.frac_reward_zero_std;
  // Without an update there was no forward whose entropy and divergence they could be.
  if (stats.num_updates + stats.skipped_updates > 0) {
    metrics["entropy"] = stats.entropy;
    metrics["kl"] = stats.has_reference ? stats.reference_kl : stats.kl;
  }
  metrics["policy_loss"] = stats.policy_loss;
  metrics["clip_ratio/low_mean"] = stats.clip_low_mean;
  metrics["clip_ratio/high_mean"] = stats.clip_high_mean;
  metrics["ratio/max_abs_dev"] = stats.ratio_max_abs_dev;
  metrics["staleness/max"] = stats.staleness_max;
  metrics["staleness/mean"] = stats.staleness_mean;
  add_router_metrics(stats.router, metrics);
  metrics["advantage/mean"] = stats.advantage_mean;
  metrics["advantage/std"] = stats.advantage_std;
  metrics["grad_norm"] = stats.grad_norm;
  metrics["learning_rate"] = stats.learning_rate;
  metrics["num_tokens"] = static_cast<double>(num_tokens);
  metrics["epoch"] = epoch;
  return metrics;
}

MetricMap grpo_timings(const StepTimes& times, const Rollout& rollout, const GrpoStepStats& stats,
                       const RoofShare& share) {
  MetricMap timings;
  timings["timing_s/sample"] = times.sample_s;
  timings["timing_s/reward"] = times.reward_s;
  timings["timing_s/train"] = times.train_s;
  timings["timing_s/checkpoint"] = times.checkpoint_s;
  timings["timing_s/step"] = times.step_s;
  timings["timing_s/wait"] = times.wait_s;
  timings["perf/sample_tokens_per_s"] = static_cast<double>(rollout.new_tokens) / times.sample_s;
  if (stats.trained_tokens > 0) {
    timings["perf/train_tokens_per_s"] = static_cast<double>(stats.trained_tokens) / times.train_s;
  }
  const auto rows = static_cast<double>(rollout.rows + stats.work.scored_rows + 3 * stats.work.trained_rows);
  const auto heads =
      static_cast<double>(rollout.head_rows + stats.work.scored_targets + 3 * stats.work.trained_targets);
  const double flop = share.body_flop * rows + share.head_flop * heads + rollout.reward_model_flop;
  timings["perf/tflop"] = flop * 1e-12;
  timings["perf/fraction_of_roof"] = flop / (times.wait_s + times.train_s) / (share.roof_gflops * 1e9);
  timings["perf/rss_mib"] = resident_mib();
  timings["perf/idle_share"] = times.idle_share;
  return timings;
}

std::string step_line(std::int64_t step, std::int64_t num_steps, const MetricMap& metrics, const StepTimes& times) {
  const auto value = [&](const char* name) {
    const auto found = metrics.find(name);
    return found == metrics.end() ? 0.0 : found->second;
  };
  const bool idle = !metrics.contains("entropy");
  const auto learned = [&](const char* name) { return idle ? "-" : fmt::format("{:.2f}", value(name)); };
  return fmt::format(
      "step {:>3}/{}  reward {:.3f}  same-reward groups {:.2f}  length {:.0f}  truncated {:.2f}  entropy {}  "
      "grad {}  sample {:.1f}s judge +{:.1f}s train {:.1f}s",
      step, num_steps, value("reward"), value("frac_reward_zero_std"), value("completions/mean_length"),
      value("completions/clipped_ratio"), learned("entropy"), learned("grad_norm"), times.sample_s, times.reward_s,
      times.train_s);
}

double resident_mib() {
  std::ifstream statm("/proc/self/statm");
  double total_pages = 0;
  double resident_pages = 0;
  statm >> total_pages >> resident_pages;
  return resident_pages * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1024.0 * 1024.0);
}

}  // namespace plumb
