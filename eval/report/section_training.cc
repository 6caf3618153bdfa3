// Curves, time and health of the training stages.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "core/escape.h"
#include "core/progress.h"
#include "eval/health.h"
#include "eval/report/sections.h"

namespace plumb {

namespace {

constexpr int kSmoothing = 9;

// One curve of one chart.
struct Curve {
  const char* name;
  const char* label;
  const char* css;
};

struct Panel {
  const char* title;
  const char* stage;
  bool percent;
  bool smooth;
  bool from_zero;
  std::vector<Curve> curves;
  bool only_if_moved = false;  // left out where every value is 0
};

std::vector<Panel> panels() {
  return {
      {"Reward",
       "grpo",
       true,
       true,
       true,
       {{"reward", "all", "a"}, {"reward/tests/mean", "code", "b"}, {"reward/math/mean", "maths", "c"}}},
      {"Groups without spread, and spread",
       "grpo",
       true,
       true,
       true,
       {{"frac_reward_zero_std", "groups with equal rewards", "b"},
        {"reward_std", "standard deviation in a group", "a"}}},
      {"Entropy (nats per token)", "grpo", false, true, true, {{"entropy", "entropy", "a"}}},
      {"Completion length (tokens)",
       "grpo",
       false,
       true,
       true,
       {{"completions/mean_length", "mean", "a"}, {"completions/max_length", "longest", "b"}}},
      {"How completions end",
       "grpo",
       true,
       true,
       true,
       {{"completions/eos_ratio", "by themselves", "a"},
        {"completions/clipped_ratio", "cut off", "c"},
        {"completions/duplicates", "duplicates", "b"}}},
      {"Audit gap", "grpo", true, true, true, {{"reward/audit_gap", "pass the tests, fail the audit", "c"}}},
      {"Staleness (versions of weights)",
       "grpo",
       false,
       false,
       true,
       {{"staleness/mean", "mean", "a"}, {"staleness/max", "oldest token", "b"}},
       true},
      {"Perplexity of the guard text", "grpo", false, false, false, {{"guard/perplexity", "perplexity", "c"}}},
      {"Evenness of the routers (1 is even)",
       "grpo",
       false,
       true,
       true,
       {{"router/load_entropy", "entropy of the loads", "a"}, {"router/max_violation", "largest violation", "c"}}},
      {"Gradient norm", "grpo", false, true, true, {{"grad_norm", "before clipping", "a"}}},
      {"Learning rate", "grpo", false, false, true, {{"learning_rate", "learning rate", "a"}}},
      {"Policy loss (near 0 is normal)", "grpo", false, false, false, {{"policy_loss", "policy loss", "a"}}},
      {"SFT loss (nats per token)", "sft", false, false, false, {{"loss", "training", "a"}, {"eval_loss", "dev", "b"}}},
      {"SFT gradient norm", "sft", false, false, true, {{"grad_norm", "before clipping", "a"}}},
      {"SFT learning rate", "sft", false, false, true, {{"learning_rate", "learning rate", "a"}}},
  };
}

bool is_all_zero(const std::vector<Series>& all) {
  return std::ranges::all_of(all, [](const Series& series) {
    return std::ranges::all_of(series.points, [](const auto& point) { return point.second == 0; });
  });
}

std::string panel_card(const RunData& run, const Panel& panel) {
  std::vector<Series> series;
  for (const Curve& curve : panel.curves) {
    auto values = series_of(run.metrics, panel.stage, curve.name);
    if (values.empty()) {
      continue;
    }
    const bool sparse = values.size() < 6;
    if (panel.smooth && !sparse) {
      series.push_back({curve.label, curve.css, values, true, false});
      values = smoothed(values, kSmoothing);
    }
    series.push_back({curve.label, curve.css, std::move(values), false, sparse});
  }
  if (series.empty() || (panel.only_if_moved && is_all_zero(series))) {
    return "";
  }
  const ChartOptions options{.title = panel.title, .percent = panel.percent, .from_zero = panel.from_zero};
  const std::string keys = panel.curves.size() > 1 ? legend(series) : "";
  return fmt::format("<div class=\"card plot\"><h3>{}</h3>{}{}</div>", panel.title, keys, line_chart(options, series));
}

// The evaluations within the GRPO stage: eval/<split>/avg@n, of the languages too.
std::string dev_card(const RunData& run) {
  std::vector<std::string> names;
  for (const StepRow& row : run.metrics) {
    for (const auto& [name, value] : row.values) {
      const bool average = name.starts_with("eval/") && name.find("/avg@") != std::string::npos;
      if (row.stage == "grpo" && average && std::ranges::find(names, name) == names.end()) {
        names.push_back(name);
      }
    }
  }
  // One point each is the evaluation at the end, which the results show.
  std::vector<Series> series;
  const std::array<const char*, 3> css = {"a", "b", "c"};
  std::ranges::sort(names, {}, [](const std::string& name) { return std::ranges::count(name, '/'); });
  for (const std::string& name : names) {
    auto values = series_of(run.metrics, "grpo", name);
    if (values.size() > 1 && series.size() < css.size()) {
      series.push_back(
          {name.substr(std::string_view("eval/").size()), css[series.size()], std::move(values), false, true});
    }
  }
  if (series.empty()) {
    return "";
  }
  const ChartOptions options{.title = "Evaluation on dev", .percent = true};
  return fmt::format("<div class=\"card plot\"><h3>Evaluation on dev</h3>{}{}</div>", legend(series),
                     line_chart(options, series));
}

// What the products of GRPO's steps took, and what share of the machine's limit that was while they ran.
std::string operations_sentence(const RunData& run) {
  double tflop = 0;
  double possible = 0;  // at the roof, in the same time
  for (const StepRow& row : run.timings) {
    const auto used = row.values.find("perf/tflop");
    const auto share = row.values.find("perf/fraction_of_roof");
    if (row.stage == "grpo" && used != row.values.end() && share != row.values.end() && share->second > 0) {
      tflop += used->second;
      possible += used->second / share->second;
    }
  }
  if (tflop <= 0) {
    return "";
  }
  const std::string amount =
      tflop < 1000 ? fmt::format("{:.1f} TFLOP", tflop) : fmt::format("{:.2f} PFLOP", tflop / 1000);
  return fmt::format(
      " GRPO's products took {}, {} of what this machine could have multiplied while it sampled and "
      "trained.",
      amount, percent(tflop / possible));
}

// What the run spent its time on, in the order it was spent.
std::vector<Segment> time_segments(const RunData& run) {
  std::map<std::string, double> sums;
  for (const StepRow& row : run.timings) {
    for (const auto& [name, value] : row.values) {
      sums[row.stage + " " + name] += value;
    }
  }
  std::map<std::string, double> evaluations;
  for (const Evaluation& evaluation : run.evaluations) {
    evaluations[evaluation.stage] += evaluation.seconds;
  }
  // Where sampling went on beside training, only what the learner waited for it is time of the run.
  const double sampled = sums["grpo timing_s/sample"];
  const double waited = sums["grpo timing_s/wait"];
  const bool overlapped = waited > 0 && waited < 0.99 * (sampled + sums["grpo timing_s/reward"]);
  std::vector<Segment> segments = {
      {"base", "Evaluation, base", evaluations["base"]},
      {"sft", "SFT", sums["sft timing_s/step"]},
      {"base", "Evaluation, SFT", evaluations["sft"]},
      {"a", overlapped ? "GRPO: waiting for rollouts" : "GRPO: sampling", overlapped ? waited : sampled},
      {"c", "GRPO: judging not hidden behind sampling", overlapped ? 0 : sums["grpo timing_s/reward"]},
      {"b", "GRPO: training", sums["grpo timing_s/train"]},
      {"base", "GRPO: evaluation on dev", sums["grpo timing_s/eval"] - evaluations["grpo"]},
      {"d", "GRPO: checkpoints", sums["grpo timing_s/checkpoint"]},
      {"base", "Evaluation, GRPO", evaluations["grpo"]},
  };
  std::erase_if(segments, [](const Segment& segment) { return segment.value < 0.01; });
  return segments;
}

}  // namespace

std::string curves_section(const RunData& run) {
  std::string cards;
  for (const Panel& panel : panels()) {
    cards += panel_card(run, panel);
    if (panel.title == std::string_view("Reward")) {
      cards += dev_card(run);
    }
  }
  if (cards.empty()) {
    return "";
  }
  return "<h2>Training</h2><p class=\"lede\">One point per step; the heavy line is a moving mean of nine steps. Point "
         "at a line "
         "to read a value.</p><div class=\"grid3\">" +
         cards + "</div>";
}

std::string time_section(const RunData& run) {
  auto segments = time_segments(run);
  if (segments.empty()) {
    return "";
  }
  double total = 0;
  for (const Segment& segment : segments) {
    total += segment.value;
  }
  std::string rows;
  for (Segment& segment : segments) {
    rows += fmt::format(
        "<tr><td class=\"l\"><span class=\"key\"><svg viewBox=\"0 0 14 10\"><rect class=\"{}\" width=\"14\" "
        "height=\"10\"/></svg>{}</span></td><td>{}</td><td>{}</td></tr>",
        segment.css, segment.label, format_duration(segment.value), percent(segment.value / total));
    segment.label += ": " + format_duration(segment.value);
  }
  return fmt::format(
      "<h2>Where the time went</h2><p class=\"lede\">{} in all.{}</p><div class=\"card "
      "gap\">{}<table><tbody>{}</tbody></table></div>",
      format_duration(total), operations_sentence(run), stacked_bar(segments), rows);
}

std::string health_section(const RunData& run) {
  struct Rule {
    HealthMessage first;
    std::vector<std::int64_t> again;  // steps at which it spoke up once more
  };
  HealthMonitor monitor;
  std::vector<Rule> rules;  // in the order of their first messages
  bool trained = false;
  for (const StepRow& row : run.metrics) {
    if (row.stage != "grpo") {
      continue;
    }
    trained = true;
    for (HealthMessage& message : monitor.observe(row.step, row.values)) {
      const auto known =
          std::find_if(rules.begin(), rules.end(), [&](const Rule& rule) { return rule.first.rule == message.rule; });
      if (known == rules.end()) {
        rules.push_back({std::move(message), {}});
      } else {
        known->again.push_back(row.step);
      }
    }
  }
  if (!trained) {
    return "";
  }
  std::string messages;
  for (const Rule& rule : rules) {
    const std::string again =
        rule.again.empty() ? "" : fmt::format(" (Again at step {}.)", fmt::join(rule.again, ", "));
    messages += fmt::format("<div class=\"message{}\">{}{}</div>", rule.first.warning ? " warn" : "",
                            escape_html(rule.first.text), again);
  }
  if (std::none_of(rules.begin(), rules.end(), [](const Rule& rule) { return rule.first.warning; })) {
    messages =
        "<div class=\"message good\">No rule had anything to complain about: groups with spread, completions that end, "
        "entropy, duplicates and the on-policy ratio all stayed within their limits.</div>" +
        messages;
  }
  return "<h2>Health</h2>" + messages;
}

}  // namespace plumb
