// plumb data sft-from-rollouts, rm-from-rollouts: samples.jsonl of runs, read as groups, turned into demonstrations
// (what passed: rejection sampling) or into preference pairs (what passed beside what did not).

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <set>

#include "apps/plumb/data.h"
#include "core/atomic_file.h"
#include "eval/samples.h"

namespace plumb {
namespace {

struct FromRollouts {
  std::vector<std::string> runs;
  std::string out;
  int per_prompt = 4;
};

using Groups = std::map<std::string, std::vector<SampleRecord>>;  // by prompt id, in the order they were sampled

// Held-out prompts are evaluated, never trained on; faults of our own say nothing about a completion.
Result<void> add_groups(const std::string& run, Groups& groups) {
  PLUMB_ASSIGN(std::vector<SampleRecord> samples, read_samples(run + "/samples.jsonl"));
  for (SampleRecord& sample : samples) {
    if (sample.kind == "train" && sample.unscored.empty()) {
      groups[sample.prompt_id].push_back(std::move(sample));
    }
  }
  return {};
}

// Right, by the graded tests and by the audit suite where that was asked; ended by itself.
bool is_right(const SampleRecord& sample) {
  return is_solved(sample) && sample.audit != 0 && sample.finish != "length";
}

// The first `most` different texts for which `want` holds, shortest first where lengths differ.
std::vector<const SampleRecord*> distinct(const std::vector<SampleRecord>& samples, bool right, int most) {
  std::vector<const SampleRecord*> chosen;
  std::set<std::string> seen;
  for (const SampleRecord& sample : samples) {
    if (is_right(sample) == right && seen.insert(sample.text).second) {
      chosen.push_back(&sample);
    }
  }
  std::ranges::stable_sort(chosen, {}, [](const SampleRecord* sample) { return sample->tokens; });
  chosen.resize(std::min(chosen.size(), static_cast<std::size_t>(most)));
  return chosen;
}

std::string demonstrations_of(const Groups& groups, int per_prompt, std::int64_t& rows) {
  std::string text;
  for (const auto& [id, samples] : groups) {
    for (const SampleRecord* sample : distinct(samples, true, per_prompt)) {
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

std::string pairs_of(const Groups& groups, int per_prompt, std::int64_t& rows) {
  std::string text;
  for (const auto& [id, samples] : groups) {
    const auto right = distinct(samples, true, per_prompt);
    const auto wrong = distinct(samples, false, per_prompt);
    // The i-th of one beside the i-th of the other: lengths are about the same, so that length alone tells little.
    for (std::size_t i = 0; i < std::min(right.size(), wrong.size()); ++i) {
      const nlohmann::json row = {{"prompt_id", id},
                                  {"prompt", right[i]->prompt},
                                  {"language", right[i]->language},
                                  {"chosen", right[i]->text},
                                  {"rejected", wrong[i]->text},
                                  {"chosen_reward", right[i]->reward},
                                  {"rejected_reward", wrong[i]->reward},
                                  {"margin", right[i]->reward - wrong[i]->reward},
                                  {"chosen_tokens", right[i]->tokens},
                                  {"rejected_tokens", wrong[i]->tokens},
                                  {"rejected_verdict", wrong[i]->verdict},
                                  {"rejected_finish", wrong[i]->finish}};
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
    PLUMB_TRY(add_groups(run, groups));
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
