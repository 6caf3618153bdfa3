// What a reward model's own evaluation found, from reward_model.json.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/escape.h"
#include "eval/report/sections.h"

namespace plumb {

namespace {

constexpr std::string_view kBaseline = "baseline: ";
constexpr std::string_view kHard = ", hard";

double number(const nlohmann::json& json, const std::string& key) {
  const auto found = json.is_object() ? json.find(key) : json.end();
  return found != json.end() && found->is_number() ? found->get<double>() : NAN;
}

// An accuracy with its interval; NaN throughout where the evaluation has no such pairs.
Interval accuracy_of(const nlohmann::json& evaluation, const std::string& key) {
  const auto found = evaluation.find(key);
  return found == evaluation.end()
             ? Interval{NAN, NAN, NAN}
             : Interval{number(*found, "accuracy"), number(*found, "low"), number(*found, "high")};
}

std::string cell(const Interval& accuracy) {
  const std::string bounds =
      std::isfinite(accuracy.low) && std::isfinite(accuracy.high)
          ? fmt::format("<span class=\"ci\">{:.1f} – {:.1f}</span>", 100 * accuracy.low, 100 * accuracy.high)
          : "";
  return percent(accuracy.mean) + bounds;
}

// Whether a program compiles tells nothing apart where none failed to, as in maths.
std::vector<std::string> baselines_of(const nlohmann::json& evaluation) {
  const std::string compiles = std::string(kBaseline) + "compiles";
  std::vector<std::string> names;
  for (const auto& [key, value] : evaluation.items()) {
    const bool tells = key != compiles || evaluation.contains("verdict CE");
    if (key.starts_with(kBaseline) && !key.ends_with(kHard) && tells) {
      names.push_back(key.substr(kBaseline.size()));
    }
  }
  return names;
}

std::string baseline_label(const std::string& name) {
  return name == "log_prob"   ? "the likelier one"
         : name == "shorter"  ? "the shorter one"
         : name == "compiles" ? "the one that compiles"
                              : escape_html(name);
}

// One row of the table: which pairs, under which key, and what the baselines' keys end in.
struct PairRow {
  std::string label;  // escaped
  std::string key;
  std::string ending;
  bool with_baselines;
};

std::vector<PairRow> rows_of(const nlohmann::json& evaluation) {
  std::vector<PairRow> rows = {{"All pairs", "all", "", true}, {"Hard pairs", "hard", std::string(kHard), true}};
  constexpr std::string_view kVerdict = "verdict ";
  for (const auto& [key, value] : evaluation.items()) {
    if (key.starts_with(kVerdict)) {
      const std::string verdict = key.substr(kVerdict.size());
      rows.push_back(
          {"The worse one: " + (verdict == "none" ? "no program, or maths" : verdict_words(verdict)), key, "", false});
    }
  }
  std::erase_if(rows, [&](const PairRow& row) { return !evaluation.contains(row.key); });
  return rows;
}

// A row of a table: what was judged, how many, the model's accuracy and that against `rival`, which is the middle.
std::string own_cells(const std::string& label, const nlohmann::json& evaluation, const std::string& key,
                      double rival) {
  const Interval own = accuracy_of(evaluation, key);
  return fmt::format("<tr><td class=\"l\">{}</td><td>{}</td><td class=\"final\">{}</td><td class=\"l mid\">{}</td>",
                     label, short_number(number(evaluation[key], "pairs"), 4), cell(own),
                     whisker({own.mean - rival, own.low - rival, own.high - rival}, -0.5, 0.5));
}

bool has_steps(const nlohmann::json& evaluation) {
  return evaluation.contains("steps") && number(evaluation["steps"], "pairs") > 0;
}

std::string steps_table(const nlohmann::json& evaluation) {
  if (!has_steps(evaluation)) {
    return "";
  }
  const Interval most = accuracy_of(evaluation, "steps of most");
  return "<div class=\"card scroll gap\"><table><thead><tr><th class=\"l\">Steps</th><th>Number</th><th>Reward "
         "model</th><th class=\"l\">against most</th><th>the side of most steps</th></tr></thead><tbody>" +
         own_cells("Steps, each by itself", evaluation, "steps", most.mean) + "<td>" + cell(most) +
         "</td></tr></tbody></table><p class=\"small muted\">A step is judged rightly where the model’s chance and the "
         "step’s label are on the same side of 1/2. By their least step right completions are told from wrong ones "
         "with "
         "an area under the ROC curve " +
         short_number(number(evaluation, "auc")) + " (1/2 is chance).</p></div>";
}

std::string accuracy_table(const nlohmann::json& evaluation) {
  const auto rows = rows_of(evaluation);
  if (rows.empty()) {
    return "";
  }
  const auto baselines = baselines_of(evaluation);
  std::string html =
      "<div class=\"card scroll gap\"><table><thead><tr><th class=\"l\">Pairs</th><th>Number</th><th>Reward "
      "model</th><th class=\"l\">against chance</th>";
  for (const std::string& name : baselines) {
    html += "<th>" + baseline_label(name) + "</th>";
  }
  html += "</tr></thead><tbody>";
  for (const PairRow& row : rows) {
    html += own_cells(row.label, evaluation, row.key, 0.5);
    for (const std::string& name : baselines) {
      const Interval other = accuracy_of(evaluation, std::string(kBaseline) + name + row.ending);
      html += "<td>" + (row.with_baselines ? cell(other) : std::string()) + "</td>";
    }
    html += "</tr>";
  }
  return html + "</tbody></table></div>";
}

struct Reliability {
  std::vector<Series> bins;  // one dot each
  double confidence = 0;     // means over the pairs
  double accuracy = 0;
};

Reliability reliability_of(const nlohmann::json& evaluation) {
  Reliability found;
  const auto bins = evaluation.find("reliability");
  if (bins == evaluation.end() || !bins->is_array()) {
    return found;
  }
  const char* things = evaluation.contains("mse") ? " of them" : " pairs";
  double pairs = 0;
  double most = 0;
  std::vector<double> counts;
  for (const nlohmann::json& bin : *bins) {
    const double confidence = number(bin, "confidence");
    const double accuracy = number(bin, "accuracy");
    const double count = number(bin, "count");
    if (!std::isfinite(confidence) || !std::isfinite(accuracy) || !(count > 0)) {
      continue;
    }
    found.bins.push_back({short_number(count, 4) + things, "a", {{100 * confidence, accuracy}}, false, true});
    counts.push_back(count);
    found.confidence += count * confidence;
    found.accuracy += count * accuracy;
    pairs += count;
    most = std::max(most, count);
  }
  for (std::size_t i = 0; i < counts.size(); ++i) {
    found.bins[i].dot_radius = std::max(2.5, 9 * std::sqrt(counts[i] / most));  // its area goes by the number
  }
  found.confidence /= pairs;
  found.accuracy /= pairs;
  return found;
}

std::string calibration_words(double error, const Reliability& found) {
  constexpr double kEven = 0.01;
  const double gap = found.confidence - found.accuracy;
  const char* judgement = gap > kEven    ? "it is too sure of itself"
                          : gap < -kEven ? "it is surer than it says"
                                         : "neither too sure nor too unsure on the whole";
  const std::string off = std::isfinite(error) ? fmt::format(
                                                     "Its chances are off by {:.1f} points in the mean "
                                                     "(expected calibration error, ECE {:.3f}): ",
                                                     100 * error, error)
                                               : std::string();
  return fmt::format("{}{}. On average it gives its choice {}, and is right for {} of the pairs.", off, judgement,
                     percent(found.confidence), percent(found.accuracy));
}

// Of predicted pass rates, or labels of steps, against the true ones.
std::string rates_card(const nlohmann::json& evaluation, const Reliability& found) {
  std::vector<Series> series = {{"as often as said", "base", {{0, 0}, {100, 1}}, false, false}};
  series.insert(series.end(), found.bins.begin(), found.bins.end());
  const ChartOptions options{.title = "How often it is so against how often it says so",
                             .percent = true,
                             .x_ticks = {0, 20, 40, 60, 80, 100},
                             .width = 480,
                             .height = 260};
  return fmt::format(
      "<div class=\"card gap\"><h3>What it says, and how it is</h3><div class=\"grid2\"><div>{}</div><div>"
      "<p>It says {} on average, where {} is so; ECE {}.</p><p class=\"small muted\">Across: the rate, in %, that it "
      "predicts. Up: the mean of the true ones. A dot is a bin of ten points, its area the number in it; on the grey "
      "line what it says would be so.</p></div></div></div>",
      line_chart(options, series), percent(found.confidence), percent(found.accuracy),
      short_number(number(evaluation, "ece")));
}

std::string reliability_card(const nlohmann::json& evaluation) {
  const Reliability found = reliability_of(evaluation);
  if (found.bins.empty()) {
    return "";
  }
  if (evaluation.contains("mse")) {
    return rates_card(evaluation, found);
  }
  const std::string words = calibration_words(number(evaluation, "ece"), found);
  std::vector<Series> series = {{"as right as sure", "base", {{50, 0.5}, {100, 1}}, false, false}};
  series.insert(series.end(), found.bins.begin(), found.bins.end());
  const ChartOptions options{.title = "How often it is right against how sure it is",
                             .percent = true,
                             .x_ticks = {50, 60, 70, 80, 90, 100},
                             .width = 480,
                             .height = 260};
  return fmt::format(
      "<div class=\"card gap\"><h3>How sure it is, and how often it is right</h3><div "
      "class=\"grid2\"><div>{}</div><div>"
      "<p>{}</p><p class=\"small muted\">Across: the chance, in %, that it gives to its choice. Up: the share of such "
      "pairs where the choice is the better one. A dot is a bin of five points, its area the number of pairs; on the "
      "grey line it would be as right as it is sure.</p></div></div></div>",
      line_chart(options, series), words);
}

std::string evaluation_block(const std::string& title, const nlohmann::json& evaluation) {
  if (!evaluation.is_object() || (rows_of(evaluation).empty() && !has_steps(evaluation))) {
    return "";
  }
  return "<h3 class=\"gap\">" + title + "</h3>" + steps_table(evaluation) + accuracy_table(evaluation) +
         reliability_card(evaluation);
}

// What the tables of a page need explained, by what they hold.
class Words {
 public:
  void add(const nlohmann::json& evaluation) {
    pairs_ = pairs_ || evaluation.contains("all");
    hard_ = hard_ || evaluation.contains("hard");
    for (const std::string& name : baselines_of(evaluation)) {
      const std::string label = baseline_label(name);
      if (std::ranges::find(rules_, label) == rules_.end()) {
        rules_.push_back(label);
      }
    }
  }
  [[nodiscard]] std::string text() const {
    std::string words;
    if (pairs_) {
      words += "Share of pairs whose better completion gets the higher score; half is chance. ";
    }
    words +=
        "Intervals are 95 % bootstraps (BCa) of the share that resample families of tasks, each with all its rows; "
        "there "
        "are none of a single family.";
    if (!rules_.empty()) {
      words += fmt::format(
          " Beside it are rules that need no reward model: of two completions {} (a half where it "
          "cannot tell).",
          fmt::join(rules_, ", "));
    }
    const bool code = std::ranges::find(rules_, baseline_label("compiles")) != rules_.end();
    return words + (hard_ ? std::string(" Hard pairs cannot be told by their form: both ended, ") +
                                (code ? "both compile, " : "") + "and their lengths are alike."
                          : "");
  }

 private:
  bool pairs_ = false;
  bool hard_ = false;
  std::vector<std::string> rules_;
};

std::string steps_sentence(const nlohmann::json& held_out) {
  return has_steps(held_out)
             ? fmt::format(
                   "Of {} steps of families that it never trained on, the reward model is on the right side for "
                   "<b>{}</b>; always saying the side of most of them is for {}.",
                   short_number(number(held_out["steps"], "pairs"), 4), percent(accuracy_of(held_out, "steps").mean),
                   percent(accuracy_of(held_out, "steps of most").mean))
             : "";
}

std::string pairs_sentence(const nlohmann::json& held_out) {
  if (!held_out.contains("all")) {
    return "";
  }
  std::string best;
  double best_accuracy = -1;
  for (const std::string& name : baselines_of(held_out)) {
    const double accuracy = accuracy_of(held_out, std::string(kBaseline) + name).mean;
    if (accuracy > best_accuracy) {
      best_accuracy = accuracy;
      best = name;
    }
  }
  const std::string beside = best.empty() ? ""
                                          : fmt::format("; the best rule without it ({}) does so in {}",
                                                        baseline_label(best), percent(best_accuracy));
  return fmt::format("Of {} pairs {} in <b>{}</b>{}.", short_number(number(held_out["all"], "pairs"), 4),
                     has_steps(held_out) ? "of a right and a wrong completion it puts the right one’s least step ahead"
                                         : "of families that it never trained on, the reward model puts the better "
                                           "completion ahead",
                     percent(accuracy_of(held_out, "all").mean), beside);
}

}  // namespace

std::string reward_model_verdict(const RunData& run) {
  const auto held_out = run.reward_model.is_object() ? run.reward_model.find("held_out") : run.reward_model.end();
  if (held_out == run.reward_model.end() || !held_out->is_object()) {
    return "";
  }
  const std::string steps = steps_sentence(*held_out);
  const std::string pairs = pairs_sentence(*held_out);
  return steps.empty() && pairs.empty()
             ? "Nothing was held out (rm.dev_share), so nothing says how good this reward model is."
             : steps + (steps.empty() || pairs.empty() ? "" : " ") + pairs;
}

std::string reward_model_section(const RunData& run) {
  if (!run.reward_model.is_object()) {
    return "";
  }
  std::vector<std::pair<std::string, nlohmann::json>> all = {
      {"Held-out families of its own rows", run.reward_model.value("held_out", nlohmann::json())}};
  const nlohmann::json others = run.reward_model.value("eval_pairs", nlohmann::json());
  if (others.is_object()) {
    for (const auto& [file, evaluation] : others.items()) {
      all.emplace_back("Held-out families of " + escape_html(file), evaluation);
    }
  }
  std::string html;
  Words words;
  for (const auto& [title, evaluation] : all) {
    const std::string block = evaluation_block(title, evaluation);
    if (!block.empty()) {
      html += block;
      words.add(evaluation);
    }
  }
  return html.empty()
             ? ""
             : "<h2>The reward model on what it never saw</h2><p class=\"lede\">" + words.text() + "</p>" + html;
}

}  // namespace plumb
