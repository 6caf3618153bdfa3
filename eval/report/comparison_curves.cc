// The curves of several runs over each other, stage by stage.

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "eval/report/comparison.h"
#include "eval/report/comparison_parts.h"

namespace plumb {

namespace {

constexpr std::array<const char*, kMostComparedRuns> kColours = {"a", "b", "c", "d", "sft", "base"};
constexpr int kSmoothing = 9;

// What is drawn over each other: a metric of one stage.
struct Curve {
  const char* stage;
  const char* title;
  const char* name;
  bool percent;
  bool smooth = true;
};
constexpr Curve kCurves[] = {{"grpo", "Reward", "reward", true},
                             {"grpo", "Reward of code", "reward/tests/mean", true},
                             {"grpo", "Groups with equal rewards", "frac_reward_zero_std", true},
                             {"grpo", "Entropy (nats per token)", "entropy", false},
                             {"grpo", "Completion length (tokens)", "completions/mean_length", false},
                             {"grpo", "Cut off", "completions/clipped_ratio", true},
                             {"grpo", "Audit gap", "reward/audit_gap", true},
                             {"grpo", "Divergence", "kl", false},
                             {"grpo", "Perplexity of the guard text", "guard/perplexity", false},
                             {"grpo", "Gradient norm", "grad_norm", false},
                             {"grpo", "Staleness (versions of weights)", "staleness/mean", false},
                             {"sft", "Loss (nats per token)", "loss", false},
                             {"sft", "Loss on dev (nats per token)", "eval_loss", false, false},
                             {"sft", "Gradient norm of SFT", "grad_norm", false},
                             {"reward_model", "Loss of the reward model", "loss", false},
                             {"reward_model", "Right side, or better one ahead", "accuracy", true},
                             {"reward_model", "Gradient norm of the reward model", "grad_norm", false}};

std::string card(const std::string& title, bool percent, std::vector<Series> series) {
  std::erase_if(series, [](const Series& one) { return one.points.empty(); });
  const bool flat = std::ranges::all_of(series, [](const Series& one) {
    return std::ranges::all_of(one.points, [](const auto& point) { return point.second == 0; });
  });
  if (series.empty() || flat) {
    return "";
  }
  return fmt::format("<div class=\"card plot\"><h3>{}</h3>{}{}</div>", title, legend(series),
                     line_chart({.title = title, .percent = percent}, series));
}

Series curve_of(const RunData& run, std::size_t place, const Curve& curve) {
  const auto points = series_of(run.metrics, curve.stage, curve.name);
  const bool sparse = points.size() < 6;
  return {run.name, kColours.at(place), curve.smooth ? smoothed(points, kSmoothing) : points, false,
          sparse || !curve.smooth};
}

std::string dev_card(std::span<const RunData> runs) {
  std::vector<Series> dev;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const std::vector<StepRow> steps = rows_of_grpo_steps(runs[i].metrics);
    if (const std::string name = dev_metric(steps); !name.empty()) {
      dev.push_back({runs[i].name, kColours.at(i), series_of(steps, "grpo", name), false, true});
    }
  }
  return card("Evaluation within the run", true, std::move(dev));
}

}  // namespace

std::string compared_curves(std::span<const RunData> runs, const std::string& stage, const char* title) {
  std::string cards;
  for (const Curve& curve : kCurves) {
    if (curve.stage != stage) {
      continue;
    }
    std::vector<Series> series;
    for (std::size_t i = 0; i < runs.size(); ++i) {
      series.push_back(curve_of(runs[i], i, curve));
    }
    cards += card(curve.title, curve.percent, std::move(series));
  }
  cards += stage == "grpo" ? dev_card(runs) : "";
  return cards.empty() ? ""
                       : fmt::format(
                             "<h2>Training: {}</h2><p class=\"lede\">One point per step; a line without dots "
                             "is a moving mean of nine steps.</p><div class=\"grid3\">{}</div>",
                             title, cards);
}

}  // namespace plumb
