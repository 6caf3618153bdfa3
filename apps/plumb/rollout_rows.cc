#include "apps/plumb/rollout_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <numeric>
#include <ranges>
#include <set>
#include <string_view>
#include <tuple>

#include "apps/plumb/sample_outcome.h"
#include "learner/step_labels.h"

namespace plumb {
namespace {

// Different texts of one side, shortest first where lengths differ.
std::vector<const SampleRecord*> distinct(const std::vector<SampleRecord>& samples, Side side) {
  std::vector<const SampleRecord*> chosen;
  std::set<std::string> seen;
  for (const SampleRecord& sample : samples) {
    if (side_of(sample) == side && seen.insert(sample.text).second) {
      chosen.push_back(&sample);
    }
  }
  std::ranges::stable_sort(chosen, {}, [](const SampleRecord* sample) { return sample->tokens; });
  return chosen;
}

std::string line_of(const nlohmann::json& row) {
  return row.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

// What is right beside what is not, the most alike in length first, so that length alone tells little. Each is used
// twice at most.
std::vector<std::pair<const SampleRecord*, const SampleRecord*>> matched(const std::vector<SampleRecord>& samples,
                                                                         int per_prompt) {
  constexpr int kMostUses = 2;
  const auto right = distinct(samples, Side::kRight);
  const auto wrong = distinct(samples, Side::kWrong);
  std::vector<std::tuple<int, std::size_t, std::size_t>> candidates;
  for (std::size_t i = 0; i < right.size(); ++i) {
    for (std::size_t j = 0; j < wrong.size(); ++j) {
      candidates.emplace_back(std::abs(right[i]->tokens - wrong[j]->tokens), i, j);
    }
  }
  std::ranges::sort(candidates);
  std::vector<std::pair<const SampleRecord*, const SampleRecord*>> pairs;
  std::map<const SampleRecord*, int> uses;
  for (const auto& [difference, i, j] : candidates) {
    if (pairs.size() == static_cast<std::size_t>(per_prompt)) {
      break;
    }
    if (uses[right[i]] < kMostUses && uses[wrong[j]] < kMostUses) {
      ++uses[right[i]];
      ++uses[wrong[j]];
      pairs.emplace_back(right[i], wrong[j]);
    }
  }
  return pairs;
}

// Null where they were not kept.
nlohmann::json log_prob_of(const SampleRecord& sample) {
  return sample.log_probs.empty()
             ? nlohmann::json()
             : nlohmann::json(std::accumulate(sample.log_probs.begin(), sample.log_probs.end(), 0.0));
}

using Rated = std::pair<double, const SampleRecord*>;

// The texts of the steps; each but the last without its last line break, which joins it to the next.
std::vector<std::string> texts_of(const std::string& text, const std::vector<std::size_t>& ends) {
  std::vector<std::string> lines;
  std::size_t begin = 0;
  for (const std::size_t end : ends) {
    const std::size_t line_break = end < text.size() ? 1 : 0;
    lines.push_back(text.substr(begin, end - begin - line_break));
    begin = end;
  }
  return lines;
}

// At most `count` of them, the worst and the best among them and the others evenly between.
std::vector<Rated> evenly(std::vector<Rated> rated, std::size_t count) {
  std::ranges::stable_sort(rated, {}, [](const Rated& one) { return std::pair(one.first, one.second->tokens); });
  if (rated.size() <= count) {
    return rated;
  }
  std::vector<Rated> chosen;
  for (std::size_t i = 0; i < count; ++i) {
    chosen.push_back(rated[count == 1 ? rated.size() - 1 : i * (rated.size() - 1) / (count - 1)]);
  }
  return chosen;
}

// What rows say of the prompt.
nlohmann::json row_of(const SampledPrompt& prompt, const std::vector<SampleRecord>& samples) {
  nlohmann::json row = {{"prompt_id", prompt.id}, {"prompt", prompt.text}, {"language", prompt.language}};
  const auto named = std::ranges::find_if(samples, [](const SampleRecord& sample) { return !sample.family.empty(); });
  if (named != samples.end()) {
    row["family"] = named->family;
  }
  return row;
}

// What they say of a completion, under keys that begin with `prefix`.
void add_facts(const SampleRecord& sample, const std::string& prefix, nlohmann::json& row) {
  row[prefix + "reward"] = sample.reward;
  row[prefix + "tokens"] = sample.tokens;
  row[prefix + "log_prob"] = log_prob_of(sample);
  row[prefix + "verdict"] = sample.verdict;
  row[prefix + "finish"] = sample.finish;
}

// The rows of single completions: at most options.per_prompt of `rated`; `add_own` adds what its kind says.
template <typename AddOwn>
std::string lines_of(const SampledPrompt& prompt, const std::vector<SampleRecord>& samples, std::vector<Rated> rated,
                     const FromRollouts& options, std::int64_t& rows, const AddOwn& add_own) {
  std::string text;
  for (const auto& [rate, sample] : evenly(std::move(rated), static_cast<std::size_t>(options.per_prompt))) {
    nlohmann::json row = row_of(prompt, samples);
    row["id"] = fmt::format("{}#{}", prompt.id, rows);
    add_facts(*sample, "", row);
    add_own(rate, *sample, row);
    text += line_of(row);
    ++rows;
  }
  return text;
}

}  // namespace

Result<std::string> demonstrations_of(const SamplesByPrompt& groups, const FromRollouts& options, std::int64_t& rows) {
  std::string text;
  for (const auto& [prompt, samples] : groups) {
    std::vector<const SampleRecord*> right = distinct(samples, Side::kRight);
    if (options.best_by == BestBy::kReward) {  // of equal rewards the shortest, as they are sorted already
      std::ranges::stable_sort(right, std::greater(), [](const SampleRecord* sample) { return sample->reward; });
    }
    for (const SampleRecord* sample : right | std::views::take(options.per_prompt)) {
      const nlohmann::json row = {{"id", fmt::format("{}#{}", prompt.id, rows)},
                                  {"prompt", sample->prompt},
                                  {"completion", sample->text},
                                  {"data_source", "rollouts"},
                                  {"split", "sft"}};
      text += line_of(row);
      ++rows;
    }
  }
  return text;
}

Result<std::string> pairs_of(const SamplesByPrompt& groups, const FromRollouts& options, std::int64_t& rows) {
  std::string text;
  for (const auto& [prompt, samples] : groups) {
    for (const auto& [right, wrong] : matched(samples, options.per_prompt)) {
      nlohmann::json row = row_of(prompt, samples);
      row["chosen"] = right->text;
      row["rejected"] = wrong->text;
      row["margin"] = 1 - pass_rate_of(*wrong, false).value_or(0);
      add_facts(*right, "chosen_", row);
      add_facts(*wrong, "rejected_", row);
      text += line_of(row);
      ++rows;
    }
  }
  return text;
}

Result<std::string> rated_of(const SamplesByPrompt& groups, const FromRollouts& options, std::int64_t& rows) {
  std::string text;
  for (const auto& [prompt, samples] : groups) {
    std::vector<Rated> rated;
    std::set<std::string_view> seen;
    for (const SampleRecord& sample : samples) {
      if (sample.audit == 0 && is_solved(sample)) {
        continue;  // it tricks the graded tests, so that their share says nothing
      }
      const auto rate = pass_rate_of(sample, options.verdicts);
      if (!rate) {
        return Error{fmt::format(
            "{}: step {} of {} was judged up to its first failing test, so that its share is not known; sample with "
            "reward.code = \"fraction\", which runs all tests, or take --verdicts: 1 for all passed, 0 for less",
            options.out, sample.step, prompt.id)};
      }
      if (seen.insert(sample.text).second) {
        rated.emplace_back(*rate, &sample);
      }
    }
    const auto add_own = [](double rate, const SampleRecord& sample, nlohmann::json& row) {
      row["completion"] = sample.text;
      row["pass_rate"] = rate;
    };
    text += lines_of(prompt, samples, std::move(rated), options, rows, add_own);
  }
  return text;
}

Result<std::string> stepped_of(const SamplesByPrompt& groups, const FromRollouts& options, std::int64_t& rows) {
  std::string text;
  for (const auto& [prompt, samples] : groups) {
    std::vector<const SampleRecord*> trials;
    std::vector<JudgedText> judged;
    for (const SampleRecord& sample : samples) {
      if (const Side side = side_of(sample); side != Side::kNeither) {
        trials.push_back(&sample);
        judged.push_back({sample.text, side == Side::kRight});
      }
    }
    std::map<const SampleRecord*, StepLabels> labels;
    std::vector<Rated> rated;
    std::set<std::string_view> seen;
    const std::vector<StepLabels> of_trials = step_labels(judged);
    for (std::size_t i = 0; i < trials.size(); ++i) {
      if (!of_trials[i].ends.empty() && seen.insert(trials[i]->text).second) {
        labels[trials[i]] = of_trials[i];
        rated.emplace_back(judged[i].right ? 1 : 0, trials[i]);
      }
    }
    const auto add_own = [&](double /*right*/, const SampleRecord& sample, nlohmann::json& row) {
      const StepLabels& of_sample = labels.at(&sample);
      row["completions"] = texts_of(sample.text, of_sample.ends);
      row["labels"] = of_sample.labels;
      row["samples"] = of_sample.completions;
    };
    text += lines_of(prompt, samples, std::move(rated), options, rows, add_own);
  }
  return text;
}

}  // namespace plumb
