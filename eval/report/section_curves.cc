// The curves of training: panels for the metrics with a known meaning, small charts for all others, so that nothing
// that is logged is invisible.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "core/escape.h"
#include "eval/report/panels.h"
#include "eval/report/sections.h"

namespace plumb {

namespace {

constexpr int kSmoothing = 9;
constexpr std::size_t kSparse = 6;  // fewer points than this are shown each

using Drawn = std::set<std::pair<std::string, std::string>>;  // stage and name

bool is_all_zero(const std::vector<Series>& all) {
  return std::ranges::all_of(all, [](const Series& series) {
    return std::ranges::all_of(series.points, [](const auto& point) { return point.second == 0; });
  });
}

std::string card(const std::string& title, const std::string& keys, const ChartOptions& options,
                 const std::vector<Series>& series) {
  return fmt::format("<div class=\"card plot\"><h3>{}</h3>{}{}</div>", title, keys, line_chart(options, series));
}

std::string panel_card(const RunData& run, const Panel& panel, Drawn& drawn) {
  std::vector<Series> series;
  for (const Curve& curve : panel.curves) {
    auto values = series_of(run.metrics, panel.stage, curve.name);
    if (values.empty()) {
      continue;
    }
    const bool sparse = values.size() < kSparse;
    if (panel.smooth && !sparse) {
      series.push_back({curve.label, curve.css, values, true, false});
      values = smoothed(values, kSmoothing);
    }
    series.push_back({curve.label, curve.css, std::move(values), false, sparse});
  }
  if (series.empty() || (panel.only_if_moved && is_all_zero(series))) {
    return "";
  }
  for (const Curve& curve : panel.curves) {
    drawn.insert({panel.stage, curve.name});
  }
  const ChartOptions options{.title = panel.title, .percent = panel.percent, .from_zero = panel.from_zero};
  return card(panel.title, panel.curves.size() > 1 ? legend(series) : "", options, series);
}

// The evaluations within the GRPO stage: eval/<split>/avg@n, of the languages too.
std::string dev_card(const RunData& run, Drawn& drawn) {
  const std::vector<StepRow> steps = rows_of_grpo_steps(run.metrics);
  std::vector<std::string> names = names_in_stage(steps, "grpo");
  std::erase_if(names, [](const std::string& name) {
    return !name.starts_with("eval/") || name.find("/avg@") == std::string::npos;
  });
  std::vector<Series> series;
  const std::array<const char*, 3> css = {"a", "b", "c"};
  std::ranges::stable_sort(names, {}, [](const std::string& name) { return std::ranges::count(name, '/'); });
  for (const std::string& name : names) {
    auto values = series_of(steps, "grpo", name);
    if (series.size() < css.size()) {
      drawn.insert({"grpo", name});
      series.push_back(
          {name.substr(std::string_view("eval/").size()), css[series.size()], std::move(values), false, true});
    }
  }
  const std::string title = "Evaluation on dev";
  return series.empty() ? "" : card(title, legend(series), {.title = title, .percent = true}, series);
}

struct Rest {
  std::string charts;
  std::string values;  // of names that have a single one
  std::size_t count = 0;
};

Rest rest_of_stage(const std::vector<StepRow>& rows, const std::string& stage, const Drawn& drawn) {
  Rest rest;
  for (const std::string& name : names_in_stage(rows, stage)) {
    auto points = series_of(rows, stage, name);
    if (points.empty() || drawn.contains({stage, name})) {
      continue;
    }
    ++rest.count;
    const std::string last = short_number(points.back().second, 4);
    if (points.size() == 1) {
      rest.values += fmt::format("<tr><td class=\"l\">{}</td><td>{}</td></tr>", escape_html(name), last);
      continue;
    }
    const ChartOptions options{
        .title = name, .from_zero = false, .width = 240, .height = 120, .values_to_point_at = false};
    const std::vector<Series> series = {{name, "a", std::move(points), false, false}};
    rest.charts += fmt::format("<div class=\"card plot mini\"><h3>{}</h3><p class=\"small muted\">last: {}</p>{}</div>",
                               escape_html(name), last, line_chart(options, series));
  }
  return rest;
}

std::string rest_block(const std::string& title, const Rest& rest) {
  if (rest.count == 0) {
    return "";
  }
  std::string html = "<h3 class=\"gap\">" + title + "</h3>";
  html += rest.charts.empty() ? "" : "<div class=\"grid4\">" + rest.charts + "</div>";
  html += rest.values.empty()
              ? ""
              : "<div class=\"card gap narrow\"><table><tbody>" + rest.values + "</tbody></table></div>";
  return html;
}

std::vector<std::string> stages_of(const std::vector<StepRow>& rows) {
  std::vector<std::string> stages;
  for (const StepRow& row : rows) {
    if (std::ranges::find(stages, row.stage) == stages.end()) {
      stages.push_back(row.stage);
    }
  }
  return stages;
}

std::string all_others(const RunData& run, const Drawn& drawn) {
  std::string html;
  std::size_t count = 0;
  for (const std::string& stage : stages_of(run.metrics)) {
    const Rest rest = rest_of_stage(run.metrics, stage, drawn);
    count += rest.count;
    html += rest_block(stage_label(stage), rest);
  }
  for (const std::string& stage : stages_of(run.timings)) {
    if (stage == "profile") {
      continue;  // a time for each prompt; their sum stands in the profile's section
    }
    const Rest rest = rest_of_stage(run.timings, stage, {});
    count += rest.count;
    html += rest_block(stage_label(stage) + ": times and speeds, of this machine", rest);
  }
  return count == 0 ? "" : fmt::format("<details><summary>All other metrics ({})</summary>{}</details>", count, html);
}

}  // namespace

std::string curves_section(const RunData& run) {
  std::string cards;
  Drawn drawn;
  for (const Panel& panel : panels_of(run)) {
    cards += panel_card(run, panel, drawn);
    if (panel.title == "Reward") {
      cards += dev_card(run, drawn);
    }
  }
  const std::string others = all_others(run, drawn);
  if (cards.empty() && others.empty()) {
    return "";
  }
  const std::string lede =
      "<p class=\"lede\">One point per step; the heavy line is a moving mean of nine steps. Point at a line to read a "
      "value. A curve that stayed at 0 may be below, among all other metrics.</p>";
  return "<h2>Training</h2>" + (cards.empty() ? "" : lede + "<div class=\"grid3\">" + cards + "</div>") + others;
}

}  // namespace plumb
