// The evaluations of several runs side by side: every set that any of them was evaluated on.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/escape.h"
#include "eval/report/comparison_parts.h"

namespace plumb {

namespace {

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

// The share of one evaluation, and what it is more than that of the first run's.
std::string result_cells(const Evaluation* evaluation, const Evaluation* other, bool is_first) {
  if (evaluation == nullptr) {
    return "<td>–</td><td>–</td>";
  }
  const Selection part = selections_of(*evaluation).front().selection;
  const int k = samples_per_prompt(*evaluation);
  std::string html =
      "<td>" + with_bounds(bca_interval(per_unit(*evaluation, Measure::kAverage, k, part)), false) + "</td>";
  if (other == nullptr || is_first) {
    return html + "<td>–</td>";
  }
  const int both = std::min(k, samples_per_prompt(*other));
  return html + "<td>" + with_bounds(improvement(*other, *evaluation, Measure::kAverage, both, part), true) + "</td>";
}

std::string result_row(const RunData& run, const RunData& first, const std::string& set) {
  const Evaluation* greedy = last_evaluation(run, set, true);
  const Evaluation* sampled = last_evaluation(run, set, false);
  const Evaluation& any = greedy != nullptr ? *greedy : *sampled;
  const std::string samples = sampled == nullptr ? "–"
                                                 : fmt::format("{} at T = {}", samples_per_prompt(*sampled),
                                                               short_number(sampled->temperature));
  const bool is_first = &run == &first;
  return fmt::format("<tr><td class=\"l\">{}</td><td class=\"l\">{}</td><td>{}</td>{}<td>{}</td>{}</tr>",
                     escape_html(run.name), stage_label(results_of(run, set).back().stage),
                     num_prompts(any, selections_of(any).front().selection),
                     result_cells(greedy, last_evaluation(first, set, true), is_first), samples,
                     result_cells(sampled, last_evaluation(first, set, false), is_first));
}

// One set, of the runs that were evaluated on it.
std::string set_results(std::span<const RunData> runs, const std::string& set) {
  std::string rows;
  const RunData* first = nullptr;
  for (const RunData& run : runs) {
    if (!results_of(run, set).empty()) {
      first = first == nullptr ? &run : first;
      rows += result_row(run, *first, set);
    }
  }
  const Evaluation* greedy = last_evaluation(*first, set, true);
  const NamedSelection part = selections_of(greedy != nullptr ? *greedy : *last_evaluation(*first, set, false)).front();
  const bool maths = part.selection.language == Language::kNone;
  return fmt::format(
      "<h2>On {0}</h2><p class=\"lede\">{1}: share of completions that pass, after each run’s last stage, in percent "
      "with 95 % intervals over {2}s; differences are paired by {2}.</p><div class=\"card scroll\"><table><thead><tr>"
      "<th class=\"l\">Run</th><th class=\"l\">Stage</th><th>Prompts</th><th>Greedy</th><th>− {3}</th><th>Samples</th>"
      "<th>Sampled</th><th>− {3}</th></tr></thead><tbody>{4}</tbody></table></div>",
      escape_html(set), part.name, maths ? "question" : "function", escape_html(first->name), rows);
}

}  // namespace

std::string compared_results(std::span<const RunData> runs) {
  std::vector<std::string> sets;
  for (const RunData& run : runs) {
    for (const std::string& set : evaluated_sets(run)) {
      if (std::ranges::find(sets, set) == sets.end()) {
        sets.push_back(set);
      }
    }
  }
  std::string html;
  for (const std::string& set : sets) {
    html += set_results(runs, set);
  }
  return html;
}

}  // namespace plumb
