#include "eval/report/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <sstream>

#include "core/atomic_file.h"
#include "core/check.h"
#include "core/escape.h"
#include "core/progress.h"
#include "eval/report/report.h"
#include "eval/report/sections.h"

namespace plumb {
namespace {

constexpr std::array<const char*, kMostComparedRuns> kColours = {"a", "b", "c", "d", "sft", "base"};
constexpr int kSmoothing = 9;

// What is drawn over each other: a metric of the GRPO stage.
struct Curve {
  const char* title;
  const char* name;
  bool percent;
};
constexpr Curve kCurves[] = {{"Reward", "reward", true},
                             {"Reward of code", "reward/tests/mean", true},
                             {"Groups with equal rewards", "frac_reward_zero_std", true},
                             {"Entropy (nats per token)", "entropy", false},
                             {"Completion length (tokens)", "completions/mean_length", false},
                             {"Cut off", "completions/clipped_ratio", true},
                             {"Audit gap", "reward/audit_gap", true},
                             {"Divergence", "kl", false},
                             {"Perplexity of the guard text", "guard/perplexity", false},
                             {"Gradient norm", "grad_norm", false},
                             {"Staleness (versions of weights)", "staleness/mean", false}};

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

// Of the metrics eval/<set>/avg@<n> within a stage, the first by name; empty where there are none.
std::string dev_metric(const std::vector<StepRow>& steps) {
  std::set<std::string> names;
  for (const StepRow& row : steps) {
    for (const auto& [name, value] : row.values) {
      const bool overall = std::ranges::count(name, '/') == 2 && name.starts_with("eval/");
      if (overall && name.find("/avg@") != std::string::npos) {
        names.insert(name);
      }
    }
  }
  return names.empty() ? "" : *names.begin();
}

std::string curves(std::span<const RunData> runs) {
  std::string cards;
  for (const Curve& curve : kCurves) {
    std::vector<Series> series;
    for (std::size_t i = 0; i < runs.size(); ++i) {
      const auto points = series_of(runs[i].metrics, "grpo", curve.name);
      series.push_back({runs[i].name, kColours[i], smoothed(points, kSmoothing), false, points.size() < 6});
    }
    cards += card(curve.title, curve.percent, std::move(series));
  }
  std::vector<Series> dev;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const std::vector<StepRow> steps = rows_of_grpo_steps(runs[i].metrics);
    if (const std::string name = dev_metric(steps); !name.empty()) {
      dev.push_back({runs[i].name, kColours[i], series_of(steps, "grpo", name), false, true});
    }
  }
  cards += card("Evaluation within the run", true, std::move(dev));
  return cards.empty() ? ""
                       : "<h2>Training</h2><p class=\"lede\">GRPO steps; each line is a moving mean of nine steps.</p>"
                         "<div class=\"grid3\">" +
                             cards + "</div>";
}

std::string with_bounds(const Interval& interval, bool sign) {
  if (!std::isfinite(interval.mean)) {
    return "–";
  }
  const auto share = [&](double value, bool shows) {
    return fmt::format("{}{:.1f}", value < 0 ? "−" : shows ? "+" : "", std::abs(100 * value));
  };
  const bool bounded = std::isfinite(interval.low);
  return share(interval.mean, sign) + (bounded ? fmt::format(" <span class=\"muted small\">{} – {}</span>",
                                                             share(interval.low, false), share(interval.high, false))
                                               : "");
}

// The last stage of a run on a set, greedy or sampled.
const Evaluation* last_evaluation(const RunData& run, const std::string& set, bool greedy) {
  const auto stages = results_of(run, set);
  return stages.empty() ? nullptr : greedy ? stages.back().greedy : stages.back().at_one();
}

std::string result_cells(const RunData& run, const RunData& first, const std::string& set, bool greedy) {
  const Evaluation* evaluation = last_evaluation(run, set, greedy);
  if (evaluation == nullptr) {
    return "<td>–</td><td>–</td>";
  }
  const Selection part = selections_of(*evaluation).front().selection;
  const int k = samples_per_prompt(*evaluation);
  std::string html =
      "<td>" + with_bounds(bca_interval(per_unit(*evaluation, Measure::kAverage, k, part)), false) + "</td>";
  const Evaluation* other = last_evaluation(first, set, greedy);
  if (other == nullptr || &run == &first) {
    return html + "<td>–</td>";
  }
  const int both = std::min(k, samples_per_prompt(*other));
  return html + "<td>" + with_bounds(improvement(*other, *evaluation, Measure::kAverage, both, part), true) + "</td>";
}

std::string results(std::span<const RunData> runs) {
  const auto sets = evaluated_sets(runs.front());
  std::string html;
  for (const std::string& set : sets) {
    html += fmt::format(
        "<h2>On {}</h2><p class=\"lede\">Share of completions that pass, after each run’s last stage: percent with 95 "
        "% "
        "intervals over functions; differences are paired by function.</p><div class=\"card scroll\"><table><thead><tr>"
        "<th class=\"l\">Run</th><th class=\"l\">Stage</th><th>Greedy</th><th>− {}</th><th>Sampled</th><th>− "
        "{}</th></tr>"
        "</thead><tbody>",
        escape_html(set), escape_html(runs.front().name), escape_html(runs.front().name));
    for (const RunData& run : runs) {
      const auto stages = results_of(run, set);
      html += fmt::format("<tr><td class=\"l\">{}</td><td class=\"l\">{}</td>{}{}</tr>", escape_html(run.name),
                          stages.empty() ? "–" : stage_label(stages.back().stage),
                          result_cells(run, runs.front(), set, true), result_cells(run, runs.front(), set, false));
    }
    html += "</tbody></table></div>";
  }
  return html;
}

// "section.key" to value, of a resolved config.
std::map<std::string, std::string> settings_of(const RunData& run) {
  std::map<std::string, std::string> settings;
  std::istringstream lines(run.config);
  std::string section;
  for (std::string line; std::getline(lines, line);) {
    const std::size_t equals = line.find(" = ");
    if (line.starts_with("[")) {
      section = line.substr(1, line.find(']') - 1);
    } else if (!line.starts_with("#") && equals != std::string::npos) {
      const std::size_t comment = line.find("  #", equals);
      settings[section + "." + line.substr(0, equals)] = line.substr(equals + 3, comment - equals - 3);
    }
  }
  return settings;
}

std::string differences(std::span<const RunData> runs) {
  std::vector<std::map<std::string, std::string>> all;
  std::set<std::string> keys;
  for (const RunData& run : runs) {
    all.push_back(settings_of(run));
    for (const auto& [key, value] : all.back()) {
      keys.insert(key);
    }
  }
  std::string rows;
  for (const std::string& key : keys) {
    const bool same = std::ranges::all_of(all, [&](auto& settings) { return settings[key] == all.front()[key]; });
    if (!same) {
      rows += "<tr><td class=\"l\">" + escape_html(key) + "</td>";
      for (auto& settings : all) {
        rows += "<td class=\"l\">" + escape_html(settings[key]) + "</td>";
      }
      rows += "</tr>";
    }
  }
  if (rows.empty()) {
    return "<h2>Settings</h2><p class=\"lede\">The configs are the same.</p>";
  }
  std::string html =
      "<h2>Settings that differ</h2><div class=\"card scroll\"><table><thead><tr><th class=\"l\">Key</th>";
  for (const RunData& run : runs) {
    html += "<th class=\"l\">" + escape_html(run.name) + "</th>";
  }
  return html + "</tr></thead><tbody>" + rows + "</tbody></table></div>";
}

std::string times(std::span<const RunData> runs) {
  std::string rows;
  for (const RunData& run : runs) {
    std::map<std::string, double> sums;
    int steps = 0;
    for (const StepRow& row : run.timings) {
      if (row.stage == "grpo" && row.values.contains("timing_s/step")) {
        ++steps;
        for (const auto& [name, value] : row.values) {
          sums[name] += value;
        }
      }
    }
    const auto mean = [&](const char* name) { return steps == 0 ? "–" : fmt::format("{:.2f}", sums[name] / steps); };
    rows += fmt::format(
        "<tr><td class=\"l\">{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
        escape_html(run.name), steps, mean("timing_s/step"), mean("timing_s/sample"), mean("timing_s/reward"),
        mean("timing_s/train"), steps == 0 ? "–" : format_duration(sums["timing_s/step"]));
  }
  return "<h2>Time</h2><div class=\"card scroll\"><table><thead><tr><th class=\"l\">Run</th><th>Steps</th><th>s a "
         "step</th><th>sampling</th><th>judging after it</th><th>training</th><th>in all</th></tr></thead><tbody>" +
         rows + "</tbody></table></div>";
}

}  // namespace

std::string render_comparison(std::span<const RunData> runs) {
  PLUMB_CHECK(!runs.empty() && runs.size() <= kMostComparedRuns, "render_comparison: 1 to 6 runs");
  std::string names;
  for (const RunData& run : runs) {
    names += (names.empty() ? "" : ", ") + run.name;
  }
  return page("plumb · " + names, "<p class=\"eyebrow\">plumb · runs compared</p><h1>" + escape_html(names) +
                                      "</h1>\n" + results(runs) + curves(runs) + differences(runs) + times(runs));
}

Result<void> write_comparison(const std::vector<std::filesystem::path>& run_dirs, const std::filesystem::path& path) {
  if (run_dirs.empty() || run_dirs.size() > kMostComparedRuns) {
    return Error{fmt::format("report: expected 1 to {} runs to compare, found {}", kMostComparedRuns, run_dirs.size())};
  }
  std::vector<RunData> runs;
  for (const std::filesystem::path& run_dir : run_dirs) {
    PLUMB_ASSIGN(RunData run, load_run(run_dir));
    runs.push_back(std::move(run));
  }
  return write_file_atomic(path.string(), render_comparison(runs));
}

}  // namespace plumb
