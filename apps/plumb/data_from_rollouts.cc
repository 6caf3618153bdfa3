// plumb data sft-from-rollouts, rm-from-rollouts: samples.jsonl of runs, read as groups, turned into rows of training
// data (rollout_rows.h).

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <set>

#include "apps/plumb/data.h"
#include "apps/plumb/rollout_rows.h"
#include "apps/plumb/run_files.h"
#include "core/atomic_file.h"
#include "eval/samples.h"

namespace plumb {
namespace {

// The samples of a run's rollouts, of a profile, and of the evaluations that are asked for: others may be of prompts
// that are held out. Faults of our own say nothing about a completion. `eval_sets` gets the sets of all evaluations.
Result<void> add_groups(const std::string& run, const FromRollouts& options, SamplesByPrompt& groups,
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
      groups[{sample.prompt_id, sample.language, sample.prompt}].push_back(std::move(sample));
    }
  }
  return {};
}

using Maker = Result<std::string> (*)(const SamplesByPrompt& groups, const FromRollouts& options, std::int64_t& rows);

Result<int> convert(const FromRollouts& options, Maker make, const char* what) {
  if (is_run_file(options.out)) {
    return Error{options.out + ": is a file of a run, which would be lost; choose another --out"};
  }
  SamplesByPrompt groups;
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
  command.add_option("--from-step", options->from_step, "leave out what was sampled before this step of a training")
      ->check(CLI::NonNegativeNumber);
  command.add_option("--eval-set", options->eval_sets,
                     "also take the samples of evaluations of this set; not of one that you measure on");
  return options;
}

}  // namespace

void add_data_from_rollouts(CLI::App& data, Action& action) {
  CLI::App* sft =
      data.add_subcommand("sft-from-rollouts", "Demonstrations: what passed all tests (rejection sampling, best of n)");
  const auto demonstrations = add_options(*sft);
  sft->add_option_function<std::string>(
         "--best-by",
         [demonstrations](const std::string& name) {
           demonstrations->best_by = name == "reward" ? BestBy::kReward : BestBy::kLength;
         },
         "which of them where there are more: of the highest reward, then shortest; or of the least length (default)")
      ->check(CLI::IsMember({"length", "reward"}));
  sft->callback([demonstrations, &action] {
    action = [=] { return convert(*demonstrations, demonstrations_of, "demonstrations"); };
  });
  CLI::App* rm = data.add_subcommand(
      "rm-from-rollouts",
      "Preference pairs: what passed beside what did not, of like length; or pass rates; or labels of steps");
  const auto pairs = add_options(*rm);
  auto* rates = rm->add_flag("--pass-rates", pairs->pass_rates,
                             "completions with the share of their tests that they pass, in place of pairs");
  rm->add_flag("--verdicts", pairs->verdicts, "... with 1 for all tests passed, 0 for less")->needs(rates);
  rm->add_flag("--steps", pairs->steps,
               "completions with a label of each step, in place of pairs: the share of right ones among the samples of "
               "the prompt that begin alike")
      ->excludes(rates);
  rm->callback([pairs, &action] {
    action = [=] {
      return pairs->steps        ? convert(*pairs, stepped_of, "completions with labelled steps")
             : pairs->pass_rates ? convert(*pairs, rated_of, "rated completions")
                                 : convert(*pairs, pairs_of, "pairs");
    };
  });
}

}  // namespace plumb
