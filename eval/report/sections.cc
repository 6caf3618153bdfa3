#include "eval/report/sections.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "core/escape.h"

namespace plumb {

namespace {

// Known stages in the order of the job; unknown ones behind them.
int stage_rank(const std::string& stage) {
  return stage == "base" ? 0 : stage == "sft" ? 1 : stage == "grpo" ? 2 : 3;
}

int set_rank(const std::string& set) {
  return set == "test" ? 0 : set == "heldout" ? 1 : 2;
}

}  // namespace

const Evaluation* StageResults::at_one() const {
  const auto nearest = std::min_element(sampled.begin(), sampled.end(), [](const Evaluation* a, const Evaluation* b) {
    return std::abs(a->temperature - 1) < std::abs(b->temperature - 1);
  });
  return nearest == sampled.end() ? nullptr : *nearest;
}

std::vector<std::string> evaluated_sets(const RunData& run) {
  std::set<std::string> names;
  for (const Evaluation& evaluation : run.evaluations) {
    names.insert(evaluation.set);
  }
  std::vector<std::string> sets(names.begin(), names.end());
  std::stable_sort(sets.begin(), sets.end(),
                   [](const std::string& a, const std::string& b) { return set_rank(a) < set_rank(b); });
  return sets;
}

std::vector<StageResults> results_of(const RunData& run, const std::string& set) {
  std::map<std::pair<int, std::string>, StageResults> by_stage;
  for (const Evaluation& evaluation : run.evaluations) {
    if (evaluation.set != set) {
      continue;
    }
    StageResults& results = by_stage[{stage_rank(evaluation.stage), evaluation.stage}];
    results.stage = evaluation.stage;
    if (evaluation.temperature == 0) {
      results.greedy = &evaluation;
    } else {
      results.sampled.push_back(&evaluation);
    }
  }
  std::vector<StageResults> all;
  for (auto& [rank, results] : by_stage) {
    std::sort(results.sampled.begin(), results.sampled.end(),
              [](const Evaluation* a, const Evaluation* b) { return a->temperature < b->temperature; });
    all.push_back(std::move(results));
  }
  return all;
}

std::vector<NamedSelection> selections_of(const Evaluation& evaluation) {
  std::set<Language> present;
  for (const PromptResult& prompt : evaluation.prompts) {
    present.insert(prompt.language);
  }
  std::vector<NamedSelection> selections;
  if (present.contains(Language::kCpp) && present.contains(Language::kPython)) {
    selections.push_back({"Code", {.language = {}, .code = true}});
  }
  const std::pair<const char*, Language> parts[] = {
      {"C++", Language::kCpp}, {"Python", Language::kPython}, {"Maths", Language::kNone}};
  for (const auto& [name, language] : parts) {
    if (present.contains(language)) {
      selections.push_back({name, {.language = language}});
    }
  }
  return selections;
}

std::string stage_label(const std::string& stage) {
  return stage == "base" ? "Base" : stage == "sft" ? "SFT" : stage == "grpo" ? "GRPO" : escape_html(stage);
}

std::string stage_class(const std::string& stage) {
  return stage_rank(stage) < 3 ? stage : "b";
}

std::string points(double difference) {
  return std::isfinite(difference) ? fmt::format("{}{:.1f} pts", difference < 0 ? "−" : "+", std::abs(100 * difference))
                                   : "–";
}

std::string verdict_words(const std::string& verdict) {
  const std::map<std::string, const char*> kWords = {
      {"AC", "passes"},           {"WA", "wrong answer"},     {"PE", "wrong format"},
      {"CE", "does not compile"}, {"RE", "crashes"},          {"TLE", "too slow"},
      {"MLE", "out of memory"},   {"OLE", "prints too much"}, {"SV", "forbidden call"},
  };
  const auto found = kWords.find(verdict);
  return found == kWords.end() ? escape_html(verdict) : found->second;
}

std::string legend(std::span<const Series> series) {
  std::string html = "<div class=\"legend\">";
  for (const Series& line : series) {
    if (!line.faint) {
      html += fmt::format(
          "<span class=\"key\"><svg viewBox=\"0 0 14 10\"><rect class=\"{}\" y=\"3\" width=\"14\" "
          "height=\"4\"/></svg>{}</span>",
          line.css, escape_html(line.label));
    }
  }
  return html + "</div>";
}

}  // namespace plumb
