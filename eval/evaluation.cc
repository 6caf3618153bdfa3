#include "eval/evaluation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "core/check.h"
#include "eval/pass_at_k.h"

namespace plumb {

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

std::string unit_of(const PromptRecord& prompt) {
  const std::string suffix = "/" + std::string(to_string(prompt.language));
  return prompt.id.ends_with(suffix) ? prompt.id.substr(0, prompt.id.size() - suffix.size()) : prompt.id;
}

bool selected(const PromptResult& prompt, Selection selection) {
  return (!selection.language || prompt.language == *selection.language) &&
         (!selection.code || prompt.language != Language::kNone);
}

double first_successes(const PromptResult& prompt, int k) {
  return static_cast<double>(std::count(prompt.successes.begin(), prompt.successes.begin() + k, true));
}

double measured(const PromptResult& prompt, Measure measure, int k) {
  PLUMB_CHECK(k >= 1, "avg@k and pass@k need k >= 1");
  if (measure == Measure::kReranked && prompt.reranked >= 0) {
    return prompt.successes[static_cast<std::size_t>(prompt.reranked)] ? 1 : 0;
  }
  if (measure != Measure::kPass) {
    return first_successes(prompt, std::min(k, prompt.n)) / std::min(k, prompt.n);
  }
  return pass_at_k(prompt.n, static_cast<int>(first_successes(prompt, prompt.n)), std::min(k, prompt.n));
}

template <typename Value>
double mean_over_prompts(const Evaluation& evaluation, Selection selection, Value value) {
  double sum = 0;
  int count = 0;
  for (const PromptResult& prompt : evaluation.prompts) {
    if (selected(prompt, selection) && prompt.n > 0) {
      sum += value(prompt);
      ++count;
    }
  }
  return count > 0 ? sum / count : kNan;
}

void add_metrics(const Evaluation& evaluation, Selection selection, const std::string& prefix, MetricMap& metrics) {
  const int n = samples_per_prompt(evaluation, selection);
  if (n == 0) {
    return;
  }
  if (const double lost = share_unscored(evaluation, selection); lost > 0) {
    metrics[prefix + "unscored"] = lost;
  }
  if (evaluation.temperature == 0) {
    metrics[prefix + "greedy"] = average_success(evaluation, 1, selection);
    return;
  }
  metrics[prefix + "avg@" + std::to_string(n)] = average_success(evaluation, n, selection);
  if (is_reranked(evaluation, selection)) {
    metrics[prefix + "rm@" + std::to_string(n)] = mean_over_prompts(
        evaluation, selection, [n](const PromptResult& prompt) { return measured(prompt, Measure::kReranked, n); });
  }
  for (int k = 1; k <= n; k *= 2) {
    metrics[prefix + "pass@" + std::to_string(k)] = pass_at(evaluation, k, selection);
  }
}

}  // namespace

PromptResult prompt_result(const ScoredGroup& scored) {
  const PromptRecord& prompt = *scored.group.prompt;
  PromptResult result;
  result.id = prompt.id;
  result.unit = unit_of(prompt);
  result.family = prompt.family;
  result.language = prompt.language;
  for (std::size_t i = 0; i < scored.scores.size(); ++i) {
    const Score& score = scored.scores[i];
    if (score.unscored) {
      ++result.unscored;
      continue;
    }
    const bool passed = score.total >= 1;
    const bool success = passed && score.audit.value_or(1) >= 1;
    const FinishReason finish = scored.group.completions[i].finish_reason;
    ++result.n;
    result.c += passed ? 1 : 0;
    result.c_audit += success ? 1 : 0;
    result.truncated += finish == FinishReason::kLength ? 1 : 0;
    result.ended += finish == FinishReason::kEndOfSequence || finish == FinishReason::kStop ? 1 : 0;
    result.successes.push_back(success);
  }
  return result;
}

int num_prompts(const Evaluation& evaluation, Selection selection) {
  return static_cast<int>(std::ranges::count_if(
      evaluation.prompts, [&](const PromptResult& prompt) { return selected(prompt, selection) && prompt.n > 0; }));
}

double average_success(const Evaluation& evaluation, int first_k, Selection selection) {
  return mean_over_prompts(evaluation, selection,
                           [&](const PromptResult& prompt) { return measured(prompt, Measure::kAverage, first_k); });
}

double share_unscored(const Evaluation& evaluation, Selection selection) {
  int lost = 0;
  int all = 0;
  for (const PromptResult& prompt : evaluation.prompts) {
    if (selected(prompt, selection)) {
      lost += prompt.unscored;
      all += prompt.unscored + prompt.n;
    }
  }
  return all > 0 ? static_cast<double>(lost) / all : 0;
}

bool is_reranked(const Evaluation& evaluation, Selection selection) {
  return std::any_of(evaluation.prompts.begin(), evaluation.prompts.end(), [&](const PromptResult& prompt) {
    return selected(prompt, selection) && prompt.n > 0 && prompt.reranked >= 0;
  });
}

double pass_at(const Evaluation& evaluation, int k, Selection selection) {
  return mean_over_prompts(evaluation, selection,
                           [&](const PromptResult& prompt) { return measured(prompt, Measure::kPass, k); });
}

double share_truncated(const Evaluation& evaluation, Selection selection) {
  return mean_over_prompts(evaluation, selection,
                           [](const PromptResult& prompt) { return static_cast<double>(prompt.truncated) / prompt.n; });
}

double share_ended(const Evaluation& evaluation, Selection selection) {
  return mean_over_prompts(evaluation, selection,
                           [](const PromptResult& prompt) { return static_cast<double>(prompt.ended) / prompt.n; });
}

double share_mixed(const Evaluation& evaluation, Selection selection) {
  return mean_over_prompts(evaluation, selection, [](const PromptResult& prompt) {
    return prompt.c_audit > 0 && prompt.c_audit < prompt.n ? 1.0 : 0.0;
  });
}

int samples_per_prompt(const Evaluation& evaluation, Selection selection) {
  int fewest = std::numeric_limits<int>::max();
  for (const PromptResult& prompt : evaluation.prompts) {
    if (selected(prompt, selection) && prompt.n > 0) {
      fewest = std::min(fewest, prompt.n);
    }
  }
  return fewest == std::numeric_limits<int>::max() ? 0 : fewest;
}

std::vector<double> per_unit(const Evaluation& evaluation, Measure measure, int k, Selection selection,
                             std::vector<std::string>* units) {
  std::map<std::string, std::pair<double, int>> sums;
  for (const PromptResult& prompt : evaluation.prompts) {
    if (selected(prompt, selection) && prompt.n > 0) {
      auto& [sum, count] = sums[prompt.unit];
      sum += measured(prompt, measure, k);
      ++count;
    }
  }
  std::vector<double> values;
  for (const auto& [unit, sum] : sums) {
    values.push_back(sum.first / sum.second);
    if (units != nullptr) {
      units->push_back(unit);
    }
  }
  return values;
}

Interval improvement(const Evaluation& before, const Evaluation& after, Measure measure, int k, Selection selection,
                     std::uint64_t seed) {
  std::vector<std::string> names_before;
  std::vector<std::string> names_after;
  const auto values_before = per_unit(before, measure, k, selection, &names_before);
  const auto values_after = per_unit(after, measure, k, selection, &names_after);
  std::vector<double> differences;
  std::size_t j = 0;
  for (std::size_t i = 0; i < names_before.size(); ++i) {
    while (j < names_after.size() && names_after[j] < names_before[i]) {
      ++j;
    }
    if (j < names_after.size() && names_after[j] == names_before[i]) {
      differences.push_back(values_after[j] - values_before[i]);
    }
  }
  return bca_interval(differences, seed);
}

MetricMap evaluation_metrics(const Evaluation& evaluation) {
  MetricMap metrics;
  // Several temperatures of one stage are measured at the same step: each needs a name of its own.
  const bool usual = evaluation.temperature == 0 || evaluation.temperature == 1;
  const std::string set = "eval/" + evaluation.set + (usual ? "" : fmt::format("@T{:g}", evaluation.temperature)) + "/";
  add_metrics(evaluation, {}, set, metrics);
  std::set<Language> languages;
  for (const PromptResult& prompt : evaluation.prompts) {
    languages.insert(prompt.language);
  }
  for (const Language language : languages) {
    if (languages.size() > 1 && language != Language::kNone) {
      add_metrics(evaluation, {language}, set + std::string(to_string(language)) + "/", metrics);
    }
  }
  return metrics;
}

FlipTable flip_table(const Evaluation& before, const Evaluation& after, Selection selection) {
  std::map<std::string, bool> passed_before;
  for (const PromptResult& prompt : before.prompts) {
    if (prompt.n > 0) {
      passed_before[prompt.id] = prompt.successes[0];
    }
  }
  FlipTable table;
  for (const PromptResult& prompt : after.prompts) {
    const auto found = passed_before.find(prompt.id);
    if (found == passed_before.end() || prompt.n == 0 || !selected(prompt, selection)) {
      continue;
    }
    const bool was = found->second;
    const bool is = prompt.successes[0];
    if (was == is) {
      ++(is ? table.stayed_pass : table.stayed_fail);
    } else {
      (is ? table.fail_to_pass : table.pass_to_fail).push_back(prompt.id);
    }
  }
  std::sort(table.fail_to_pass.begin(), table.fail_to_pass.end());
  std::sort(table.pass_to_fail.begin(), table.pass_to_fail.end());
  return table;
}

}  // namespace plumb
