// plumb data sft-from-rollouts, rm-from-rollouts: samples.jsonl of runs, read as groups, turned into demonstrations
// (what passed: rejection sampling) or into preference pairs (what passed beside what did not).

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <numeric>
#include <ranges>
#include <set>
#include <tuple>

#include "apps/plumb/data.h"
#include "core/atomic_file.h"
#include "eval/samples.h"

namespace plumb {
namespace {

struct FromRollouts {
  std::vector<std::string> runs;
  std::string out;
  int per_prompt = 4;
  std::int64_t from_step = 0;
};

using Groups = std::map<std::string, std::vector<SampleRecord>>;  // by prompt id, in the order they were sampled

// Held-out prompts are evaluated, never trained on; faults of our own say nothing about a completion.
Result<void> add_groups(const std::string& run, std::int64_t from_step, Groups& groups) {
  PLUMB_ASSIGN(std::vector<SampleRecord> samples, read_samples(run + "/samples.jsonl"));
  for (SampleRecord& sample : samples) {
    if (sample.kind == "train" && sample.unscored.empty() && sample.step >= from_step) {
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

std::string demonstrations_of(const Groups& groups, int per_prompt, std::int64_t& rows) {
  std::string text;
  for (const auto& [id, samples] : groups) {
    for (const SampleRecord* sample : distinct(samples, true) | std::views::take(per_prompt)) {
      const nlohmann::json row = {{"id", fmt::format("{}#{}", id, rows)},
                                  {"prompt", sample->prompt},
                                  {"completion", sample->text},
                                  {"data_source", "rollouts"},
                                  {"split", "sft"}};
      text += row.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
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

std::string pairs_of(const Groups& groups, int per_prompt, std::int64_t& rows) {
  std::string text;
  for (const auto& [id, samples] : groups) {
    for (const auto& [right, wrong] : matched(samples, per_prompt)) {
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
      text += row.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
      ++rows;
    }
  }
  return text;
}

using Maker = std::string (*)(const Groups& groups, int per_prompt, std::int64_t& rows);

Result<int> convert(const FromRollouts& options, Maker make, const char* what) {
  Groups groups;
  for (const std::string& run : options.runs) {
    PLUMB_TRY(add_groups(run, options.from_step, groups));
  }
  std::int64_t rows = 0;
  const std::string text = make(groups, options.per_prompt, rows);
  if (rows == 0) {
    return Error{
        fmt::format("{}: no {} in these runs ({} prompts with training samples); save more samples "
                    "(grpo.saved_groups), or train longer",
                    options.out, what, groups.size())};
  }
  PLUMB_TRY(write_file_atomic(options.out, text));
  std::printf("%lld %s from %zu prompts: %s\n", static_cast<long long>(rows), what, groups.size(), options.out.c_str());
  return 0;
}

void add_one(CLI::App& data, Action& action, const std::string& name, const std::string& help, Maker make,
             const char* what) {
  CLI::App* command = data.add_subcommand(name, help);
  auto options = std::make_shared<FromRollouts>();
  command->add_option("RUN", options->runs, "run folders with samples.jsonl")->required();
  command->add_option("--out", options->out, "the JSON Lines file to write")->required();
  command->add_option("--per-prompt", options->per_prompt, "rows of a prompt at most")->check(CLI::Range(1, 100000));
  command->add_option("--from-step", options->from_step, "leave out what was sampled before this step");
  command->callback([options, make, what, &action] { action = [=] { return convert(*options, make, what); }; });
}

}  // namespace

void add_data_from_rollouts(CLI::App& data, Action& action) {
  add_one(data, action, "sft-from-rollouts", "Demonstrations: what passed all tests (rejection sampling, best of n)",
          demonstrations_of, "demonstrations");
  add_one(data, action, "rm-from-rollouts", "Preference pairs: what passed beside what did not, of like length",
          pairs_of, "pairs");
}

}  // namespace plumb
