// How completions turned out: cut off, not compiled, compiled and failed, passed; at the end of a run and over it.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "eval/report/sections.h"

namespace plumb {

namespace {

constexpr std::size_t kLastSteps = 10;
constexpr int kSmoothing = 9;

enum class Outcome { kPasses, kFailsTests, kDoesNotCompile, kNoProgram, kWrongAnswer, kCutOff, kUnscored };

struct Kind {
  Outcome outcome;
  const char* label;
  const char* css;
};

constexpr std::array<Kind, 7> kKinds = {{{Outcome::kPasses, "passes", "a"},
                                         {Outcome::kFailsTests, "compiles, fails the tests", "e"},
                                         {Outcome::kDoesNotCompile, "does not compile", "c"},
                                         {Outcome::kNoProgram, "ends without a program", "d"},
                                         {Outcome::kWrongAnswer, "wrong answer (maths)", "b"},
                                         {Outcome::kCutOff, "cut off", "base"},
                                         {Outcome::kUnscored, "not scored, by a fault of our own", "f"}}};

// What passes is that, however it ended; of the rest, what was cut off says nothing about its program.
Outcome outcome_of(const SampleRecord& sample) {
  if (!sample.unscored.empty()) {
    return Outcome::kUnscored;
  }
  if (is_solved(sample)) {
    return Outcome::kPasses;
  }
  if (sample.finish == "length") {
    return Outcome::kCutOff;
  }
  if (sample.language == to_string(Language::kNone)) {
    return Outcome::kWrongAnswer;
  }
  return sample.verdict.empty()   ? Outcome::kNoProgram
         : sample.verdict == "CE" ? Outcome::kDoesNotCompile
                                  : Outcome::kFailsTests;
}

class Average {
 public:
  void add(double value) {
    sum_ += value;
    ++count_;
  }
  [[nodiscard]] double value() const { return count_ == 0 ? NAN : sum_ / count_; }
  [[nodiscard]] double count() const { return count_; }

 private:
  double sum_ = 0;
  double count_ = 0;
};

struct Row {
  Average length;
  Average reward;
  Average log_prob;   // of tokens
  Average advantage;  // of those in the loss
};

using Samples = std::vector<const SampleRecord*>;

std::map<Outcome, Row> rows_of(const Samples& samples) {
  std::map<Outcome, Row> rows;
  for (const SampleRecord* sample : samples) {
    Row& row = rows[outcome_of(*sample)];
    row.length.add(sample->tokens);
    if (sample->unscored.empty()) {
      row.reward.add(sample->reward);
    }
    for (const double log_prob : sample->log_probs) {
      row.log_prob.add(log_prob);
    }
    if (sample->advantage) {
      row.advantage.add(*sample->advantage);
    }
  }
  return rows;
}

std::string table(const Samples& samples) {
  const auto rows = rows_of(samples);
  const auto any = [&](auto member) {
    return std::ranges::any_of(rows, [&](const auto& row) { return (row.second.*member).count() > 0; });
  };
  const bool log_probs = any(&Row::log_prob);
  const bool advantages = any(&Row::advantage);
  std::string html = fmt::format(
      "<div class=\"card scroll\"><table><thead><tr><th "
      "class=\"l\">Outcome</th><th>Completions</th><th>Share</th><th>Mean "
      "length<br>(tokens)</th><th>Mean<br>reward</th>{}{}</tr></thead><tbody>",
      log_probs ? "<th>Mean log-prob<br>(nats per token)</th>" : "", advantages ? "<th>Mean<br>advantage</th>" : "");
  for (const Kind& kind : kKinds) {
    const auto found = rows.find(kind.outcome);
    if (found == rows.end()) {
      continue;
    }
    const Row& row = found->second;
    html += fmt::format(
        "<tr><td class=\"l\"><span class=\"key\"><svg viewBox=\"0 0 14 10\"><rect class=\"{}\" width=\"14\" "
        "height=\"10\"/></svg>{}</span></td><td>{:.0f}</td><td>{}</td><td>{}</td><td>{}</td>",
        kind.css, kind.label, row.length.count(), percent(row.length.count() / static_cast<double>(samples.size())),
        short_number(row.length.value()), short_number(row.reward.value()));
    html += log_probs ? "<td>" + short_number(row.log_prob.value()) + "</td>" : "";
    html += advantages ? "<td>" + short_number(row.advantage.value()) + "</td>" : "";
    html += "</tr>";
  }
  return html + "</tbody></table></div>";
}

std::map<std::int64_t, Samples> by_step(const RunData& run) {
  std::map<std::int64_t, Samples> steps;
  for (const SampleRecord& sample : run.samples) {
    if (sample.kind == "train") {
      steps[sample.step].push_back(&sample);
    }
  }
  return steps;
}

// Whether these are all completions of their step, not some of its groups: then the step's own means are theirs.
bool is_whole(const RunData& run, std::int64_t step, const Samples& samples) {
  Average length;
  Average cut_off;
  for (const SampleRecord* sample : samples) {
    length.add(sample->tokens);
    cut_off.add(sample->finish == "length" ? 1 : 0);
  }
  const auto row = std::ranges::find_if(
      run.metrics, [&](const StepRow& one) { return one.stage == samples.front()->stage && one.step == step; });
  const auto agrees = [&](const char* name, double value) {
    const auto found = row->values.find(name);
    return found != row->values.end() && std::abs(found->second - value) <= 1e-9 * std::max(1.0, value);
  };
  return row != run.metrics.end() && agrees("completions/mean_length", length.value()) &&
         agrees("completions/clipped_ratio", cut_off.value());
}

std::string course(const RunData& run, const std::map<std::int64_t, Samples>& steps) {
  const bool whole =
      std::ranges::all_of(steps, [&](const auto& step) { return is_whole(run, step.first, step.second); });
  if (!whole) {
    return "<p class=\"small muted\">Only some of a step’s groups are saved (grpo.saved_groups), or their steps are "
           "not "
           "logged: the course over the run is in the curves “Reward” and “How completions end”.</p>";
  }
  // Long runs by stretches of steps: a band has an edge of so many points at most.
  constexpr std::size_t kMaxPoints = 250;
  const std::size_t stretch = (steps.size() + kMaxPoints - 1) / kMaxPoints;
  std::vector<std::pair<double, Samples>> places;
  std::size_t index = 0;
  for (const auto& [step, samples] : steps) {
    if (index++ % stretch == 0) {
      places.push_back({static_cast<double>(step), {}});
    }
    Samples& all = places.back().second;
    all.insert(all.end(), samples.begin(), samples.end());
  }
  std::vector<Series> series;
  for (const Kind& kind : kKinds) {
    Series shares{kind.label, kind.css, {}, false, false};
    bool any = false;
    for (const auto& [x, samples] : places) {
      const auto count = std::ranges::count_if(samples, [&](const auto* s) { return outcome_of(*s) == kind.outcome; });
      any = any || count > 0;
      shares.points.emplace_back(x, static_cast<double>(count) / static_cast<double>(samples.size()));
    }
    shares.points = smoothed(shares.points, kSmoothing);
    if (any) {
      series.push_back(std::move(shares));
    }
  }
  const ChartOptions options{.title = "Share of completions by outcome", .percent = true, .width = 1040, .height = 260};
  return "<div class=\"card gap\"><h3>Share of completions over the steps, smoothed</h3>" + legend(series) +
         area_chart(options, series) + "</div>";
}

// Where nothing was trained: the completions of the last stage on the first set.
Samples evaluated(const RunData& run) {
  const auto sets = evaluated_sets(run);
  if (sets.empty()) {
    return {};
  }
  const std::string stage = results_of(run, sets.front()).back().stage;
  Samples samples;
  for (const SampleRecord& sample : run.samples) {
    if (sample.kind == "eval" && sample.set == sets.front() && sample.stage == stage) {
      samples.push_back(&sample);
    }
  }
  return samples;
}

}  // namespace

std::string outcomes_section(const RunData& run) {
  const auto steps = by_step(run);
  std::string html = "<h2>How completions turn out</h2>";
  if (steps.empty()) {
    const Samples samples = evaluated(run);
    return samples.empty() ? ""
                           : html +
                                 fmt::format(
                                     "<p class=\"lede\">The {} saved completions of the last evaluation "
                                     "({}).</p>",
                                     samples.size(), stage_label(samples.front()->stage)) +
                                 table(samples);
  }
  Samples last;
  std::size_t used = 0;
  std::int64_t first_step = 0;
  for (auto step = steps.rbegin(); step != steps.rend() && used < kLastSteps; ++step, ++used) {
    last.insert(last.end(), step->second.begin(), step->second.end());
    first_step = step->first;
  }
  html += fmt::format(
      "<p class=\"lede\">The {} saved rollouts of steps {} to {}. What passes is counted as that even where "
      "it was cut off.</p>",
      last.size(), first_step, steps.rbegin()->first);
  return html + table(last) + (steps.size() > 1 ? course(run, steps) : "");
}

}  // namespace plumb
