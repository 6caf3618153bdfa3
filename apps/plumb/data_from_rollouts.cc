// plumb data sft-from-rollouts, rm-from-rollouts: samples.jsonl of runs, read as groups, turned into demonstrations
// (what passed: rejection sampling), into preference pairs (what passed beside what did not) or into completions with
// their pass rates.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <ranges>
#include <set>
#include <tuple>

#include "apps/plumb/data.h"
#include "core/atomic_file.h"
#include "eval/samples.h"

namespace plumb {
namespace {

// Which of the completions that passed are kept where there are more than asked for.
enum class BestBy : std::uint8_t { kReward, kLength };

struct FromRollouts {
  std::vector<std::string> runs;
  std::string out;
  int per_prompt = 4;
  std::int64_t from_step = 0;
  std::vector<std::string> eval_sets;
  BestBy best_by = BestBy::kLength;
  bool pass_rates = false;  // in place of pairs
  bool verdicts = false;    // as pass rates
};

using Groups = std::map<std::string, std::vector<SampleRecord>>;  // by prompt id, in the order they were sampled

// The samples of a run's rollouts, of a profile, and of the evaluations that are asked for: others may be of prompts
// that are held out. Faults of our own say nothing about a completion. `eval_sets` gets the sets of all evaluations.
Result<void> add_groups(const std::string& run, const FromRollouts& options, Groups& groups,
                        std::set<std::string>& eval_sets) {
  auto samples = read_samples(run + "/samples.jsonl");
  if (!samples) {
    const bool profiled = std::filesystem::exists(run + "/profile.jsonl");
    return samples.error().with_context(
        profiled ? "a profile whose completions were not kept; make it again with plumb data profile"
                 : "expected samples.jsonl of grpo, quickstart, eval or data profile");
  }
  for (SampleRecord& sample : *samples) {
    bool wanted = sample.kind != "train" || sample.step >= options.from_step;
    if (sample.kind == "eval") {
      eval_sets.insert(sample.set);
      wanted = std::ranges::find(options.eval_sets, sample.set) != options.eval_sets.end();
    }
    if (wanted && sample.unscored.empty()) {
      groups[sample.prompt_id].push_back(std::move(sample));
    }
  }
  return {};
}

// Right, by the graded tests and by the audit suite where that was asked; ended by itself.
bool is_right(const SampleRecord& sample) {
  return is_solved(sample) && sample.audit != 0 && sample.finish != "length";
}

// Different texts that are right, or that are not, shortest first where lengths differ.
std::vector<const SampleRecord*> distinct(const std::vector<SampleRecord>& samples, bool right) {
  std::vector<const SampleRecord*> chosen;
  std::set<std::string> seen;
  for (const SampleRecord& sample : samples) {
    if (is_right(sample) == right && seen.insert(sample.text).second) {
      chosen.push_back(&sample);
    }
  }
  std::ranges::stable_sort(chosen, {}, [](const SampleRecord* sample) { return sample->tokens; });
  return chosen;
}

std::string line_of(const nlohmann::json& row) {
  return row.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

Result<std::string> demonstrations_of(const Groups& groups, const FromRollouts& options, std::int64_t& rows) {
  std::string text;
  for (const auto& [id, samples] : groups) {
    std::vector<const SampleRecord*> right = distinct(samples, true);
    if (options.best_by == BestBy::kReward) {  // of equal rewards the shortest, as they are sorted already
      std::ranges::stable_sort(right, std::greater(), [](const SampleRecord* sample) { return sample->reward; });
    }
    for (const SampleRecord* sample : right | std::views::take(options.per_prompt)) {
      const nlohmann::json row = {{"id", fmt::format("{}#{}", id, rows)},
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

// What is right beside what is not, the most alike in length first, so that length alone tells little. Each is used
// twice at most.
std::vector<std::pair<const SampleRecord*, const SampleRecord*>> matched(const std::vector<SampleRecord>& samples,
                                                                         int per_prompt) {
  constexpr int kMostUses = 2;
  const auto right = distinct(samples, true);
  const auto wrong = distinct(samples, false);
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

Result<std::string> pairs_of(const Groups& groups, const FromRollouts& options, std::int64_t& rows) {
  std::string text;
  for (const auto& [id, samples] : groups) {
    for (const auto& [right, wrong] : matched(samples, options.per_prompt)) {
      const nlohmann::json row = {{"prompt_id", id},
                                  {"prompt", right->prompt},
                                  {"language", right->language},
                                  {"chosen", right->text},
                                  {"rejected", wrong->text},
                                  {"chosen_reward", right->reward},
                                  {"rejected_reward", wrong->reward},
                                  {"margin", right->reward - wrong->reward},
                                  {"chosen_tokens", right->tokens},
                                  {"rejected_tokens", wrong->tokens},
                                  {"chosen_log_prob", log_prob_of(*right)},
                                  {"rejected_log_prob", log_prob_of(*wrong)},
                                  {"rejected_verdict", wrong->verdict},
                                  {"rejected_finish", wrong->finish}};
      text += line_of(row);
      ++rows;
    }
  }
  return text;
}

// Whether all graded tests were run, whatever became of the first: some part asked how many pass (needs_all_tests).
bool all_tests_ran(const SampleRecord& sample) {
  return std::ranges::any_of(sample.parts, [](const ScorePart& part) {
    return part.name == "fraction" || part.name == "ran" || part.name == "near_miss";
  });
}

// The share of its tests that a completion passes; of what has no tests, its verdict. Nothing where judging stopped at
// the first test that failed.
std::optional<double> pass_rate_of(const SampleRecord& sample, bool verdicts) {
  const bool solved = is_solved(sample);
  if (solved || verdicts || sample.verdict == "CE") {
    return solved ? 1 : 0;
  }
  if (sample.verdict.empty()) {  // no code block, or no code task: its first part is the verdict
    return sample.parts.empty() ? 0 : std::clamp(sample.parts.front().value, 0.0, 1.0);
  }
  if (sample.tests > 0 && all_tests_ran(sample)) {
    return static_cast<double>(sample.passed) / sample.tests;
  }
  return std::nullopt;
}

using Rated = std::pair<double, const SampleRecord*>;

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

Result<std::string> rated_of(const Groups& groups, const FromRollouts& options, std::int64_t& rows) {
  std::string text;
  for (const auto& [id, samples] : groups) {
    std::vector<Rated> rated;
    std::set<std::string> seen;
    for (const SampleRecord& sample : samples) {
      if (sample.audit == 0 && is_solved(sample)) {
        continue;  // it tricks the graded tests, so that their share says nothing
      }
      const auto rate = pass_rate_of(sample, options.verdicts);
      if (!rate) {
        return Error{fmt::format(
            "{}: step {} of {} was judged up to its first failing test, so that its share is not known; sample with "
            "reward.code = \"fraction\", which runs all tests, or take --verdicts: 1 for all passed, 0 for less",
            options.out, sample.step, id)};
      }
      if (seen.insert(sample.text).second) {
        rated.emplace_back(*rate, &sample);
      }
    }
    for (const auto& [rate, sample] : evenly(std::move(rated), static_cast<std::size_t>(options.per_prompt))) {
      text += line_of({{"id", fmt::format("{}#{}", id, rows)},
                       {"prompt_id", id},
                       {"prompt", sample->prompt},
                       {"language", sample->language},
                       {"completion", sample->text},
                       {"pass_rate", rate},
                       {"reward", sample->reward},
                       {"tokens", sample->tokens},
                       {"log_prob", log_prob_of(*sample)},
                       {"verdict", sample->verdict},
                       {"finish", sample->finish}});
      ++rows;
    }
  }
  return text;
}

using Maker = Result<std::string> (*)(const Groups& groups, const FromRollouts& options, std::int64_t& rows);

Result<int> convert(const FromRollouts& options, Maker make, const char* what) {
  Groups groups;
  std::set<std::string> eval_sets;
  for (const std::string& run : options.runs) {
    PLUMB_TRY(add_groups(run, options, groups, eval_sets));
  }
  const std::string known = fmt::format("{}", fmt::join(eval_sets, ", "));
  for (const std::string& name : options.eval_sets) {
    if (!eval_sets.contains(name)) {
      return Error{fmt::format("--eval-set {}: no evaluation of that set in these runs, which have {}", name,
                               known.empty() ? "none" : known)};
    }
  }
  if (groups.empty() && !eval_sets.empty()) {
    return Error{fmt::format(
        "{}: these runs hold samples of evaluations alone (of {}); --eval-set NAME takes those of a set that nothing "
        "is measured on",
        options.out, known)};
  }
  std::int64_t rows = 0;
  PLUMB_ASSIGN(const std::string text, make(groups, options, rows));
  if (rows == 0) {
    return Error{
        fmt::format("{}: no {} in these runs ({} prompts with samples); save more samples (grpo.saved_groups), or "
                    "train longer",
                    options.out, what, groups.size())};
  }
  PLUMB_TRY(write_file_atomic(options.out, text));
  std::printf("%lld %s from %zu prompts: %s\n", static_cast<long long>(rows), what, groups.size(), options.out.c_str());
  return 0;
}

std::shared_ptr<FromRollouts> add_options(CLI::App& command) {
  auto options = std::make_shared<FromRollouts>();
  command.add_option("RUN", options->runs, "run folders with samples.jsonl")->required();
  command.add_option("--out", options->out, "the JSON Lines file to write")->required();
  command.add_option("--per-prompt", options->per_prompt, "rows of a prompt at most")->check(CLI::Range(1, 100000));
  command.add_option("--from-step", options->from_step, "leave out what was sampled before this step of a training");
  command.add_option("--eval-set", options->eval_sets,
                     "also take the samples of evaluations of this set; not of one that you measure on");
  return options;
}

}  // namespace

void add_data_from_rollouts(CLI::App& data, Action& action) {
  CLI::App* sft =
      data.add_subcommand("sft-from-rollouts", "Demonstrations: what passed all tests (rejection sampling, best of n)");
  const auto demonstrations = add_options(*sft);
  sft->add_option("--best-by", demonstrations->best_by,
                  "which of them where there are more: of the highest reward, then shortest; or shortest (default)")
      ->transform(CLI::CheckedTransformer(
          std::map<std::string, BestBy>{{"reward", BestBy::kReward}, {"length", BestBy::kLength}}));
  sft->callback([demonstrations, &action] {
    action = [=] { return convert(*demonstrations, demonstrations_of, "demonstrations"); };
  });
  CLI::App* rm = data.add_subcommand(
      "rm-from-rollouts", "Preference pairs: what passed beside what did not, of like length; or pass rates");
  const auto pairs = add_options(*rm);
  auto* rates = rm->add_flag("--pass-rates", pairs->pass_rates,
                             "completions with the share of their tests that they pass, in place of pairs");
  rm->add_flag("--verdicts", pairs->verdicts, "... with 1 for all tests passed, 0 for less")->needs(rates);
  rm->callback([pairs, &action] {
    action = [=] {
      return pairs->pass_rates ? convert(*pairs, rated_of, "rated completions") : convert(*pairs, pairs_of, "pairs");
    };
  });
}

}  // namespace plumb
