// The head of the page and its main table: did it learn?

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "core/escape.h"
#include "eval/report/sections.h"

namespace plumb {

namespace {

constexpr int kAverageOf = 4;
constexpr int kPassOf = 8;

// One way of asking a stage: which evaluation, which number of samples.
struct Question {
  const char* name;  // "Greedy", ...
  bool greedy;
  Measure measure;
  int wanted_k;
};

constexpr Question kQuestions[] = {{"Greedy", true, Measure::kAverage, 1},
                                   {"Sampled", false, Measure::kAverage, kAverageOf},
                                   {"Reranked", false, Measure::kReranked, kPassOf},
                                   {"Best of k", false, Measure::kPass, kPassOf}};

// An evaluation of a stage: each has one.
const Evaluation& any_of(const StageResults& results) {
  return results.greedy != nullptr ? *results.greedy : *results.at_one();
}

const Evaluation* asked(const StageResults& results, const Question& question) {
  return question.greedy ? results.greedy : results.at_one();
}

// Whether there is an answer to `question`: without a reward model nobody chose among the samples.
bool is_answered(const Evaluation* evaluation, const Question& question, Selection selection) {
  return evaluation != nullptr && (question.measure != Measure::kReranked || is_reranked(*evaluation, selection));
}

int answered_k(const Evaluation& evaluation, const Question& question) {
  return std::clamp(samples_per_prompt(evaluation), 1, question.wanted_k);
}

std::string question_label(const Question& question, const Evaluation& evaluation) {
  if (question.greedy) {
    return "Greedy";
  }
  const char* measure = question.measure == Measure::kAverage ? "avg"
                        : question.measure == Measure::kPass  ? "pass"
                                                              : "rm";
  return fmt::format("{}@{}, T = {}", measure, answered_k(evaluation, question), short_number(evaluation.temperature));
}

Interval stage_interval(const Evaluation& evaluation, const Question& question, Selection selection) {
  const auto values = per_unit(evaluation, question.measure, answered_k(evaluation, question), selection);
  return bca_interval(values);
}

std::string bounds(const Interval& interval) {
  const auto text = [](double share) { return fmt::format("{}{:.1f}", share < 0 ? "−" : "", std::abs(100 * share)); };
  return std::isfinite(interval.low) ? text(interval.low) + " – " + text(interval.high) : "";
}

const char* direction(const Interval& interval) {
  return interval.low > 0 ? "up" : interval.high < 0 ? "down" : "open";
}

// The two stages that the run is judged by: the last one and the one before it.
struct Comparison {
  const StageResults* before = nullptr;
  const StageResults* after = nullptr;
};

Comparison last_two(const std::vector<StageResults>& stages) {
  return stages.size() < 2 ? Comparison{} : Comparison{&stages[stages.size() - 2], &stages.back()};
}

struct TableRow {
  NamedSelection part;
  Question question{};
  std::string label;
  std::vector<Interval> stages;
  Interval gain;
};

std::vector<TableRow> table_rows(const std::vector<StageResults>& stages) {
  std::vector<TableRow> rows;
  const Comparison compared = last_two(stages);
  const Evaluation& any = any_of(stages.back());
  for (const NamedSelection& part : selections_of(any)) {
    for (const Question& question : kQuestions) {
      const Evaluation* last = asked(stages.back(), question);
      if (!is_answered(last, question, part.selection)) {
        continue;
      }
      TableRow row{part, question, question_label(question, *last), {}, {NAN, NAN, NAN}};
      for (const StageResults& results : stages) {
        const Evaluation* evaluation = asked(results, question);
        row.stages.push_back(evaluation == nullptr ? Interval{NAN, NAN, NAN}
                                                   : stage_interval(*evaluation, question, part.selection));
      }
      const Evaluation* before = compared.before == nullptr ? nullptr : asked(*compared.before, question);
      if (before != nullptr) {
        const int k = std::min(answered_k(*before, question), answered_k(*last, question));
        row.gain = improvement(*before, *last, question.measure, k, part.selection);
      }
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

std::string table_head(const std::vector<StageResults>& stages) {
  std::string html = "<thead><tr><th class=\"l\">Tasks</th><th class=\"l\">Measure</th>";
  for (const StageResults& results : stages) {
    html += "<th>" + stage_label(results.stage) + "</th>";
  }
  if (const Comparison compared = last_two(stages); compared.before != nullptr) {
    html += fmt::format("<th>{} − {}</th><th class=\"l\">95 % interval</th>", stage_label(compared.after->stage),
                        stage_label(compared.before->stage));
  }
  return html + "</tr></thead>";
}

std::string results_table(const std::vector<StageResults>& stages) {
  const auto rows = table_rows(stages);
  double low = 0;
  double high = 0;
  for (const TableRow& row : rows) {
    low = std::isfinite(row.gain.low) ? std::min(low, row.gain.low) : low;
    high = std::isfinite(row.gain.high) ? std::max(high, row.gain.high) : high;
  }
  std::string html = "<div class=\"card scroll gap\"><table>" + table_head(stages) + "<tbody>";
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const TableRow& row = rows[i];
    const bool first = i == 0 || rows[i - 1].part.name != row.part.name;
    html += fmt::format("<tr{}><td class=\"l lang\">{}</td><td class=\"l\">{}</td>",
                        first && i > 0 ? " class=\"first\"" : "", first ? row.part.name : "", row.label);
    for (std::size_t s = 0; s < row.stages.size(); ++s) {
      html +=
          fmt::format("<td{}>{}<span class=\"ci\">{}</span></td>", s + 1 == row.stages.size() ? " class=\"final\"" : "",
                      percent(row.stages[s].mean), bounds(row.stages[s]));
    }
    if (stages.size() > 1) {
      html += fmt::format(
          "<td><span class=\"chip {}\">{}</span><span class=\"ci\">{}</span></td><td class=\"l mid\">{}</td>",
          direction(row.gain), points(row.gain.mean), bounds(row.gain), whisker(row.gain, low, high));
    }
    html += "</tr>";
  }
  return html + "</tbody></table></div>";
}

std::string id_list(const char* title, const std::vector<std::string>& ids) {
  if (ids.empty()) {
    return "";
  }
  std::string html = fmt::format("<details><summary>{} ({})</summary><ul class=\"plain\">", title, ids.size());
  for (const std::string& id : ids) {
    html += "<li>" + escape_html(id) + "</li>";
  }
  return html + "</ul></details>";
}

std::string flips_card(const StageResults& before, const StageResults& after) {
  if (before.greedy == nullptr || after.greedy == nullptr) {
    return "";
  }
  const FlipTable flips = flip_table(*before.greedy, *after.greedy);
  const int ups = static_cast<int>(flips.fail_to_pass.size());
  const int downs = static_cast<int>(flips.pass_to_fail.size());
  std::string html = fmt::format("<div class=\"card\"><h3>{} → {}, greedy</h3><div class=\"flips\">",
                                 stage_label(before.stage), stage_label(after.stage));
  html += fmt::format(
      "<div class=\"flip up\"><b>{}</b>fail → pass</div><div class=\"flip down\"><b>{}</b>pass → fail</div>", ups,
      downs);
  html += fmt::format(
      "<div class=\"flip\"><b>{}</b>pass both times</div><div class=\"flip\"><b>{}</b>fail both times</div></div>",
      flips.stayed_pass, flips.stayed_fail);
  html += fmt::format("<p class=\"small muted\">Sign test on the flips: p = {}.</p>",
                      short_number(sign_test(ups, downs), 2));
  return html + id_list("Fail → pass", flips.fail_to_pass) + id_list("Pass → fail", flips.pass_to_fail) + "</div>";
}

std::string set_title(const std::string& set) {
  return set == "test" || set == "heldout" ? "Held-out tasks" : "Set “" + escape_html(set) + "”";
}

// What the run is judged by: its code, where there is any.
Selection judged_part(const Evaluation& evaluation) {
  const auto parts = selections_of(evaluation);
  return parts.empty() ? Selection{} : parts.front().selection;
}

std::size_t count_units(const Evaluation& evaluation, Selection selection) {
  std::vector<std::string> units;
  per_unit(evaluation, Measure::kAverage, 1, selection, &units);
  return units.size();
}

// What intervals resample: "functions (both languages together) and questions".
std::string unit_words(const Evaluation& evaluation) {
  const bool functions = count_units(evaluation, {.language = {}, .code = true}) > 0;
  const bool questions = count_units(evaluation, {.language = Language::kNone}) > 0;
  const std::string both = count_units(evaluation, {.language = Language::kCpp}) > 0 &&
                                   count_units(evaluation, {.language = Language::kPython}) > 0
                               ? " (both languages together)"
                               : "";
  return fmt::format("{}{}{}", functions ? "functions" + both : "", functions && questions ? " and " : "",
                     questions ? "questions" : "");
}

// "60 functions and 30 questions".
std::string task_counts(const Evaluation& evaluation) {
  const std::size_t functions = count_units(evaluation, {.language = {}, .code = true});
  const std::size_t questions = count_units(evaluation, {.language = Language::kNone});
  return functions == 0   ? fmt::format("{} questions", questions)
         : questions == 0 ? fmt::format("{} functions", functions)
                          : fmt::format("{} functions and {} questions", functions, questions);
}

// ", 8 completions of each at T = 0.6 and 1 (greedy: one)".
std::string sample_counts(const StageResults& results) {
  if (results.sampled.empty()) {
    return ", one greedy completion of each";
  }
  std::string temperatures;
  for (const Evaluation* sampled : results.sampled) {
    temperatures += (temperatures.empty() ? "" : " and ") + short_number(sampled->temperature);
  }
  return fmt::format(", {} completions of each at T = {}{}", samples_per_prompt(*results.sampled.back()), temperatures,
                     results.greedy != nullptr ? " (greedy: one)" : "");
}

std::string lost_message(const Evaluation& evaluation) {
  const double lost = share_unscored(evaluation);
  return lost > 0 ? fmt::format(
                        "<div class=\"message warn\">{} of the {} completions at T = {} could not be judged, for "
                        "faults that are not theirs: the shares are of the others.</div>",
                        percent(lost), escape_html(evaluation.stage), short_number(evaluation.temperature))
                  : "";
}

std::string lost_messages(const std::vector<StageResults>& stages) {
  std::string html;
  for (const StageResults& stage : stages) {
    html += stage.greedy != nullptr ? lost_message(*stage.greedy) : "";
    for (const Evaluation* sampled : stage.sampled) {
      html += lost_message(*sampled);
    }
  }
  return html;
}

std::string set_results(const RunData& run, const std::string& set) {
  const auto stages = results_of(run, set);
  const Evaluation& any = any_of(stages.back());
  std::string html = fmt::format(
      "<h2>{}{}</h2><p class=\"lede\">Share of completions that pass {}. {}, {} prompts{}; "
      "intervals are 95 % bootstraps (BCa) over {}, and differences are paired by them.</p>",
      set_title(set), stages.size() > 1 ? ", before and after" : "",
      any.audited ? "the graded tests and the audit suite" : "the graded tests", task_counts(any), any.prompts.size(),
      sample_counts(stages.back()), unit_words(any));
  html += lost_messages(stages) + results_table(stages);
  std::string flips;
  for (std::size_t i = 0; i + 1 < stages.size(); ++i) {
    flips += flips_card(stages[i], stages[i + 1]);
  }
  return flips.empty() ? html : html + "<div class=\"grid2\">" + flips + "</div>";
}

std::string tile(const std::vector<StageResults>& stages, const Question& question) {
  const Evaluation* last = asked(stages.back(), question);
  const Selection part = last == nullptr ? Selection{} : judged_part(*last);
  if (!is_answered(last, question, part)) {
    return "";
  }
  std::string steps;
  for (std::size_t i = 0; i + 1 < stages.size(); ++i) {
    if (const Evaluation* evaluation = asked(stages[i], question)) {
      steps += fmt::format("{}{} {}", steps.empty() ? "" : " · ", stage_label(stages[i].stage),
                           percent(stage_interval(*evaluation, question, part).mean));
    }
  }
  std::string html = fmt::format("<div class=\"card tile\"><h3>{}</h3><div class=\"big\">{}</div>",
                                 question_label(question, *last), percent(stage_interval(*last, question, part).mean));
  const Comparison compared = last_two(stages);
  const Evaluation* before = compared.before == nullptr ? nullptr : asked(*compared.before, question);
  if (before != nullptr) {
    const int k = std::min(answered_k(*before, question), answered_k(*last, question));
    const Interval gain = improvement(*before, *last, question.measure, k, part);
    html += fmt::format("<p><span class=\"chip {}\">{}</span> <span class=\"small muted\">on {}, {}</span></p>",
                        direction(gain), points(gain.mean), stage_label(compared.before->stage), bounds(gain));
  }
  return html + "<p class=\"steps\">" + steps + "</p></div>";
}

const char* task_word(Selection part) {
  return part.language == Language::kNone ? "tasks" : "functions";
}

// Of a model that was evaluated once.
std::string only_stage(const StageResults& results) {
  const Evaluation& evaluation = results.at_one() == nullptr ? *results.greedy : *results.at_one();
  const Selection part = judged_part(evaluation);
  const Interval interval = bca_interval(per_unit(evaluation, Measure::kAverage, samples_per_prompt(evaluation), part));
  return fmt::format("{} answers are right <b>{}</b> of the time on {} {} of “{}”{}.",
                     evaluation.temperature == 0 ? "Greedy" : "Sampled", percent(interval.mean),
                     count_units(evaluation, part), task_word(part), escape_html(evaluation.set),
                     std::isfinite(interval.low) ? " (95 % interval " + bounds(interval) + ")" : "");
}

// Whether the last stage improved on the one before, at temperature 1.
std::string last_against_before(const std::vector<StageResults>& stages) {
  const Comparison compared = last_two(stages);
  const Question& question = kQuestions[1];
  const Evaluation* before = compared.before == nullptr ? nullptr : asked(*compared.before, question);
  const Evaluation* after = compared.after == nullptr ? nullptr : asked(*compared.after, question);
  if (before == nullptr || after == nullptr) {
    return "";
  }
  const int k = std::min(answered_k(*before, question), answered_k(*after, question));
  const Selection part = judged_part(*after);
  const Interval gain = improvement(*before, *after, question.measure, k, part);
  const char* claim = gain.low > 0 ? "better than" : gain.high < 0 ? "worse than" : "not clearly different from";
  return fmt::format(
      "After {0}, sampled answers are right {2} of the time on {7} that the model never "
      "trained on, against {3} after {1}: <b>{4} {1}</b> ({5}, 95 % interval {6}).",
      stage_label(compared.after->stage), stage_label(compared.before->stage),
      percent(average_success(*after, k, part)), percent(average_success(*before, k, part)), claim, points(gain.mean),
      bounds(gain), task_word(part));
}

// Where something was measured: pass@k has no k of 1.5.
std::vector<double> measured_places(const std::vector<Series>& lines) {
  std::set<double> places;
  for (const Series& line : lines) {
    for (const auto& [x, y] : line.points) {
      places.insert(x);
    }
  }
  return {places.begin(), places.end()};
}

std::string paragraph(const char* css, const std::string& html) {
  return html.empty() ? "" : fmt::format("<p class=\"{}\">{}</p>", css, html);
}

}  // namespace

std::string evaluation_verdict(const RunData& run) {
  const auto sets = evaluated_sets(run);
  if (sets.empty()) {
    return "";
  }
  const auto stages = results_of(run, sets.front());
  return stages.size() == 1 ? only_stage(stages.front()) : last_against_before(stages);
}

std::string header_section(const RunData& run) {
  const auto text = [&](const char* key) {
    const bool there = run.manifest.is_object() && run.manifest.contains(key) && run.manifest[key].is_string();
    return there ? run.manifest[key].get<std::string>() : std::string();
  };
  std::string html = fmt::format("<p class=\"eyebrow\">plumb · run report</p><h1>{}</h1>", escape_html(run.name));
  std::string facts;
  for (const std::string& fact : {text("started_at"), text("cpu")}) {
    if (!fact.empty()) {
      facts += (facts.empty() ? "" : " · ") + escape_html(fact);
    }
  }
  html += "<p class=\"muted small\">" + facts + "</p>";
  const auto sets = evaluated_sets(run);
  const std::string verdict = run_verdict(run);
  if (sets.empty()) {
    return html + paragraph("verdict", verdict.empty() ? "Nothing has been evaluated in this run yet." : verdict);
  }
  const auto stages = results_of(run, sets[0]);
  html += paragraph("verdict", verdict) + paragraph("lede", dev_verdict(run)) + "<div class=\"tiles\">";
  for (const Question& question : kQuestions) {
    html += tile(stages, question);
  }
  return html + "</div>";
}

std::string results_section(const RunData& run) {
  std::string html;
  const auto sets = evaluated_sets(run);
  for (std::size_t i = 0; i < sets.size(); ++i) {
    const std::string one = set_results(run, sets[i]);
    html +=
        i == 0 ? one : "<details><summary>Also evaluated: " + escape_html(sets[i]) + "</summary>" + one + "</details>";
  }
  return html;
}

std::string decoding_section(const RunData& run) {
  const auto sets = evaluated_sets(run);
  if (sets.empty()) {
    return "";
  }
  std::vector<Series> by_k;
  std::vector<Series> by_temperature;
  const auto stages = results_of(run, sets[0]);
  const Selection part = judged_part(any_of(stages.back()));
  for (const StageResults& results : stages) {
    Series k_line{stage_label(results.stage), stage_class(results.stage), {}, false, true};
    if (const Evaluation* sampled = results.at_one()) {
      for (int k = 1; k <= std::min(kPassOf, samples_per_prompt(*sampled)); ++k) {
        k_line.points.emplace_back(k, pass_at(*sampled, k, part));
      }
    }
    Series t_line{stage_label(results.stage), stage_class(results.stage), {}, false, true};
    if (results.greedy != nullptr) {
      t_line.points.emplace_back(0, average_success(*results.greedy, 1, part));
    }
    for (const Evaluation* sampled : results.sampled) {
      t_line.points.emplace_back(sampled->temperature, average_success(*sampled, samples_per_prompt(*sampled), part));
    }
    by_k.push_back(std::move(k_line));
    by_temperature.push_back(std::move(t_line));
  }
  const auto wide = [](const std::vector<Series>& lines) {
    return ChartOptions{.title = "", .percent = true, .x_ticks = measured_places(lines), .width = 480, .height = 230};
  };
  std::string html = "<h2>More samples, other temperatures</h2><div class=\"grid2\">";
  html += "<div class=\"card plot\"><h3>pass@k against k</h3>" + legend(by_k) + line_chart(wide(by_k), by_k) + "</div>";
  html += "<div class=\"card plot\"><h3>Accuracy against temperature (0 is greedy)</h3>" + legend(by_temperature) +
          line_chart(wide(by_temperature), by_temperature) + "</div>";
  return html + "</div>";
}

}  // namespace plumb
