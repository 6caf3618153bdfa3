#include "eval/report/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/atomic_file.h"
#include "core/check.h"
#include "core/escape.h"
#include "core/progress.h"
#include "eval/report/comparison_parts.h"
#include "eval/report/report.h"

namespace plumb {
namespace {

// What each run came to, in its own words.
std::string verdicts(std::span<const RunData> runs) {
  std::string html = "<div class=\"card gap\">";
  for (const RunData& run : runs) {
    const std::string verdict = run_verdict(run);
    html += fmt::format("<p><b>{}</b>: {}</p>", escape_html(run.name),
                        verdict.empty() ? "Nothing has been evaluated in this run yet." : verdict);
  }
  return html + "</div>";
}

// Whether two of the runs that have a key have it otherwise: a section that a run lacks is no difference.
bool differs(const std::vector<std::map<std::string, std::string>>& all, const std::string& key) {
  std::set<std::string> values;
  for (const auto& settings : all) {
    if (const auto found = settings.find(key); found != settings.end()) {
      values.insert(found->second);
    }
  }
  return values.size() > 1;
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
    if (differs(all, key)) {
      rows += "<tr><td class=\"l\">" + escape_html(key) + "</td>";
      for (const auto& settings : all) {
        const auto found = settings.find(key);
        rows += "<td class=\"l\">" + (found == settings.end() ? "–" : escape_html(found->second)) + "</td>";
      }
      rows += "</tr>";
    }
  }
  if (rows.empty()) {
    return "<h2>Settings</h2><p class=\"lede\">The configs are the same.</p>";
  }
  std::string html =
      "<h2>Settings that differ</h2><p class=\"lede\">Of the keys that at least two of the runs have.</p>"
      "<div class=\"card scroll wrap\"><table><thead><tr><th class=\"l\">Key</th>";
  for (const RunData& run : runs) {
    html += "<th class=\"l\">" + escape_html(run.name) + "</th>";
  }
  return html + "</tr></thead><tbody>" + rows + "</tbody></table></div>";
}

// What the steps of one stage of a run took; empty where it has none.
std::string time_row(const RunData& run, const std::string& stage) {
  std::map<std::string, double> sums;
  int steps = 0;
  for (const StepRow& row : run.timings) {
    if (row.stage == stage && row.values.contains("timing_s/step")) {
      ++steps;
      for (const auto& [name, value] : row.values) {
        sums[name] += value;
      }
    }
  }
  if (steps == 0) {
    return "";
  }
  const auto mean = [&](const char* name) {
    return sums.contains(name) ? fmt::format("{:.2f}", sums[name] / steps) : "–";
  };
  return fmt::format(
      "<tr><td class=\"l\">{}</td><td class=\"l\">{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td>"
      "<td>{}</td></tr>",
      escape_html(run.name), stage == "reward_model" ? "Reward model" : stage_label(stage), steps,
      mean("timing_s/step"), mean("timing_s/sample"), mean("timing_s/reward"), mean("timing_s/train"),
      format_duration(sums["timing_s/step"]));
}

std::string times(std::span<const RunData> runs) {
  std::string rows;
  for (const RunData& run : runs) {
    for (const char* stage : {"sft", "reward_model", "grpo"}) {
      rows += time_row(run, stage);
    }
  }
  return rows.empty() ? ""
                      : "<h2>Time</h2><div class=\"card scroll\"><table><thead><tr><th class=\"l\">Run</th><th "
                        "class=\"l\">Stage</th><th>Steps</th><th>s a step</th><th>sampling</th><th>judging after "
                        "it</th><th>training</th><th>in all</th></tr></thead><tbody>" +
                            rows + "</tbody></table></div>";
}

// The names of folders for people: the last part of a path, and where another's are the same as many more as tell the
// two apart. A folder that is given twice has one name.
std::vector<std::string> distinct_names(const std::vector<std::filesystem::path>& run_dirs) {
  std::vector<std::vector<std::string>> parts;  // of each, the last first
  for (const std::filesystem::path& run_dir : run_dirs) {
    std::vector<std::string>& of_run = parts.emplace_back();
    for (const auto& part : std::filesystem::absolute(run_dir).lexically_normal().relative_path()) {
      if (!part.empty()) {
        of_run.insert(of_run.begin(), part.string());
      }
    }
  }
  std::vector<std::string> names;
  for (std::size_t run = 0; run < parts.size(); ++run) {
    std::size_t needed = 1;
    for (std::size_t other = 0; other < parts.size(); ++other) {
      const auto [mine, its] = std::ranges::mismatch(parts[run], parts[other]);
      if (other != run && parts[run] != parts[other]) {
        needed = std::max(needed, static_cast<std::size_t>(mine - parts[run].begin()) + 1);
      }
    }
    needed = std::min(needed, parts[run].size());
    std::string name;
    for (std::size_t i = needed; i-- > 0;) {
      name += parts[run][i] + (i > 0 ? "/" : "");
    }
    names.push_back(name);
  }
  return names;
}

}  // namespace

std::string render_comparison(std::span<const RunData> runs) {
  PLUMB_CHECK(!runs.empty() && runs.size() <= kMostComparedRuns, "render_comparison: 1 to 6 runs");
  std::string names;
  for (const RunData& run : runs) {
    names += (names.empty() ? "" : ", ") + run.name;
  }
  return page("plumb · " + names,
              "<p class=\"eyebrow\">plumb · runs compared</p><h1>" + escape_html(names) + "</h1>\n" + verdicts(runs) +
                  compared_results(runs) + compared_curves(runs, "grpo", "GRPO") + compared_curves(runs, "sft", "SFT") +
                  compared_curves(runs, "reward_model", "reward model") + differences(runs) + times(runs));
}

Result<void> write_comparison(const std::vector<std::filesystem::path>& run_dirs, const std::filesystem::path& path) {
  if (run_dirs.empty() || run_dirs.size() > kMostComparedRuns) {
    return Error{fmt::format("report: expected 1 to {} runs to compare, found {}", kMostComparedRuns, run_dirs.size())};
  }
  const std::vector<std::string> names = distinct_names(run_dirs);
  std::vector<RunData> runs;
  for (const std::filesystem::path& run_dir : run_dirs) {
    PLUMB_ASSIGN(RunData run, load_run(run_dir));
    run.name = names[runs.size()];
    runs.push_back(std::move(run));
  }
  return write_file_atomic(path.string(), render_comparison(runs));
}

}  // namespace plumb
