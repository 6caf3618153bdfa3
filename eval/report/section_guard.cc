// What the training may have unlearned: the guards of the stages side by side.

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <vector>

#include "core/escape.h"
#include "eval/health.h"
#include "eval/report/sections.h"

namespace plumb {

namespace {

constexpr std::array<const char*, 3> kGuards = {"guard/perplexity", "guard/kl", "guard/humaneval"};

struct GuardRow {
  std::string label;
  MetricMap values;
};

bool has_guard(const StepRow& row) {
  return std::ranges::any_of(kGuards, [&](const char* name) { return row.values.contains(name); });
}

// The first measurement of all, and the last one of each stage, in the order they were made.
std::vector<GuardRow> guard_rows(const RunData& run) {
  std::vector<const StepRow*> shown;
  for (const StepRow& row : run.metrics) {
    if (!has_guard(row)) {
      continue;
    }
    if (shown.size() > 1 && shown.back()->stage == row.stage) {
      shown.back() = &row;
    } else {
      shown.push_back(&row);
    }
  }
  std::vector<GuardRow> rows;
  for (const StepRow* row : shown) {
    const bool many = std::ranges::count(shown, row->stage, &StepRow::stage) > 1;
    const std::string step = many ? fmt::format(", step {}", row->step) : "";
    rows.push_back({stage_label(row->stage) + step, row->values});
  }
  return rows;
}

std::string cell(const GuardRow& row, const MetricMap& first, const std::string& name) {
  const auto found = row.values.find(name);
  if (found == row.values.end() || !std::isfinite(found->second)) {
    return "<td>–</td>";
  }
  const std::string value = name == "guard/humaneval" ? percent(found->second) : short_number(found->second, 4);
  const auto before = first.find(name);
  const bool worse = before != first.end() && is_unlearned(name, before->second, found->second);
  return worse ? fmt::format("<td><span class=\"chip down\">{}</span></td>", value) : "<td>" + value + "</td>";
}

}  // namespace

std::string guard_section(const RunData& run) {
  const auto rows = guard_rows(run);
  if (rows.empty()) {
    return "";
  }
  std::string table;
  for (const GuardRow& row : rows) {
    table += "<tr><td class=\"l\">" + row.label + "</td>";
    for (const char* name : kGuards) {
      table += cell(row, rows.front().values, name);
    }
    table += "</tr>";
  }
  return fmt::format(
      "<h2>What it may have unlearned</h2><p class=\"lede\">Nothing of this was trained on. Marked is a perplexity "
      "that "
      "rose by more than {:.0f}%, or a pass rate that fell by more than {:.0f} points.</p><div class=\"card gap "
      "narrow\"><table><thead><tr><th class=\"l\">Stage</th><th>Perplexity of the guard text</th><th>KL from the base "
      "(nats per token)</th><th>HumanEval, greedy</th></tr></thead><tbody>{}</tbody></table></div>",
      100 * (kMaxPerplexityRise - 1), 100 * kMaxPassRateFall, table);
}

}  // namespace plumb
