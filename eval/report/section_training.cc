// Time and health of the training stages.

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
      {"d", "Reward model", sums["reward_model timing_s/step"]},
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
  const auto settings = settings_of(run);
  const auto advantage = settings.find("grpo.advantage");
  HealthMonitor monitor(advantage != settings.end() && advantage->second == "\"reinforce_pp\"");
  std::vector<Rule> rules;  // in the order of their first messages
  std::size_t trained = 0;
  for (const StepRow& row : run.metrics) {
    if (row.stage != "grpo") {
      continue;
    }
    ++trained;
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
  if (trained == 0) {
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
    const bool judged = trained >= kFewestHealthSteps;
    messages = (judged ? "<div class=\"message good\">No rule had anything to complain about: groups with spread, "
                         "updates, completions that end, entropy, duplicates and the on-policy ratio all stayed within "
                         "their limits.</div>"
                       : "<div class=\"message\">Too few steps for the rules to say anything.</div>") +
               messages;
  }
  return "<h2>Health</h2>" + messages;
}

}  // namespace plumb
