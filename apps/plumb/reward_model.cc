// plumb reward-model: preference pairs, completions with pass rates or with labels of their steps, to a model that
// scores completions.

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <type_traits>
#include <utility>

#include "apps/plumb/interrupt.h"
#include "apps/plumb/reward_families.h"
#include "apps/plumb/reward_model_evaluation.h"
#include "apps/plumb/run_options.h"
#include "apps/plumb/stage_reward_model.h"
#include "core/atomic_file.h"
#include "core/hash.h"
#include "eval/report/report.h"

namespace plumb {
namespace {

Result<RunManifest> manifest_for(const RewardModelSections& sections, const Config& config) {
  RunManifest manifest = start_manifest("reward-model", sections.run.seed, config);
  for (std::size_t i = 0; i < sections.rm.pairs.size(); ++i) {
    PLUMB_ASSIGN(manifest.file_sha256["pairs" + std::to_string(i)], sha256_file(sections.rm.pairs[i]));
  }
  for (std::size_t i = 0; i < sections.rm.eval_pairs.size(); ++i) {
    PLUMB_ASSIGN(manifest.file_sha256["eval_pairs" + std::to_string(i)], sha256_file(sections.rm.eval_pairs[i]));
  }
  PLUMB_ASSIGN(manifest.file_sha256["model"], model_checksum(sections.model.path));
  return manifest;
}

Result<std::int32_t> one_token(const std::string& text, const Tokenizer& tokenizer, const char* key) {
  const std::vector<std::int32_t> ids = tokenizer.encode(text, false);
  if (ids.size() != 1) {
    return Error{fmt::format("rm.{}: expected a text that is one token of this model, found {} tokens in \"{}\"", key,
                             ids.size(), text)};
  }
  return ids.front();
}

Result<void> read_rows(const std::string& file, Workbench& bench, const RewardModelSettings& rm,
                       std::vector<PairRecord>& records) {
  PLUMB_ASSIGN(records, read_pairs(file, bench, rm.margin_scale));
  return {};
}

Result<void> read_rows(const std::string& file, Workbench& bench, const RewardModelSettings& /*rm*/,
                       std::vector<RatedRecord>& records) {
  PLUMB_ASSIGN(records, read_rated(file, bench));
  return {};
}

Result<void> read_rows(const std::string& file, Workbench& bench, const RewardModelSettings& /*rm*/,
                       std::vector<SteppedRecord>& records) {
  PLUMB_ASSIGN(records, read_steps(file, bench));
  return {};
}

RewardPair& example_of(PairRecord& record) {
  return record.pair;
}

RatedCompletion& example_of(RatedRecord& record) {
  return record.rated;
}

SteppedCompletion& example_of(SteppedRecord& record) {
  return record.stepped;
}

// The parts of a run that is open.
struct OpenRun {
  const RunOptions& options;
  const RewardModelSections& sections;
  Workbench& bench;
  RunFolder& folder;
  JudgeTokens tokens;
};

// What is trained on and what is held out of it, by family.
template <typename Record>
struct SplitRows {
  std::vector<Record> train;
  std::vector<Record> held_out;
  std::vector<std::vector<Record>> eval;  // [rm.eval_pairs], of held-out families
};

template <typename Record>
void name_families(const RewardFamilies& families, std::vector<Record>& records) {
  for (Record& record : records) {
    record.family = record.family.empty() ? families.of(record.prompt_id) : record.family;
  }
}

// All files are read before the training, which a bad row would lose.
template <typename Record>
Result<SplitRows<Record>> read_split(const OpenRun& run) {
  const RewardModelSettings& rm = run.sections.rm;
  std::vector<Record> all;
  for (const std::string& file : rm.pairs) {
    std::vector<Record> records;
    PLUMB_TRY(read_rows(file, run.bench, rm, records));
    std::ranges::move(records, std::back_inserter(all));
  }
  RewardFamilies families;
  for (const Record& record : all) {
    families.add(record.prompt_id, record.family);
  }
  name_families(families, all);
  SplitRows<Record> rows;
  for (Record& record : all) {
    (is_held_out(record.family, rm.dev_share) ? rows.held_out : rows.train).push_back(std::move(record));
  }
  for (const std::string& file : rm.eval_pairs) {
    std::vector<Record> records;
    PLUMB_TRY(read_rows(file, run.bench, rm, records));
    name_families(families, records);
    std::erase_if(records, [&](const Record& one) { return !is_held_out(one.family, rm.dev_share); });
    rows.eval.push_back(std::move(records));
  }
  return rows;
}

// Trains on rows of one kind, saves the weights and evaluates; the figures go to `report`. False: stopped and saved.
template <typename Record>
Result<bool> train_and_evaluate(const OpenRun& run, const char* what, nlohmann::json& report) {
  const RewardModelSettings& rm = run.sections.rm;
  using Example = std::remove_reference_t<decltype(example_of(std::declval<Record&>()))>;
  PLUMB_ASSIGN(SplitRows<Record> rows, read_split<Record>(run));
  std::vector<Example> examples;
  for (Record& record : rows.train) {
    examples.push_back(std::move(example_of(record)));
  }
  if (examples.empty()) {
    return Error{fmt::format("reward-model: no {} to train on in rm.pairs: {}", what,
                             rows.held_out.empty()
                                 ? "the files are empty"
                                 : "all families of its prompts are held out; lower rm.dev_share, or add other tasks")};
  }
  std::fprintf(stderr, "plumb: %zu %s to train on, %zu of other families held out\n", examples.size(), what,
               rows.held_out.size());
  PLUMB_TRY(run.folder.claim());
  PLUMB_ASSIGN(const bool finished, train_reward_model_run(run.bench, run.folder, std::span<const Example>(examples),
                                                           run.tokens, run.sections, run.folder.resumes()));
  if (!finished) {
    return false;
  }
  PLUMB_TRY(run.bench.save(run.options.out + "/policy"));
  Policy& policy = run.bench.policy();
  report["held_out"] = evaluate_reward_model(policy, std::span<const Record>(rows.held_out), run.tokens);
  PLUMB_TRY(
      log_held_out(run.folder, num_reward_model_steps(rm, examples.size()), held_out_metrics(report["held_out"])));
  for (std::size_t i = 0; i < rows.eval.size(); ++i) {
    std::printf("\n%s\n", rm.eval_pairs[i].c_str());
    report["eval_pairs"][rm.eval_pairs[i]] =
        evaluate_reward_model(policy, std::span<const Record>(rows.eval[i]), run.tokens);
  }
  return true;
}

const char* name_of(RewardObjective objective) {
  switch (objective) {
    case RewardObjective::kPairs:
      return "pairs";
    case RewardObjective::kRegression:
      return "regression";
    case RewardObjective::kClassification:
      return "classification";
    case RewardObjective::kSteps:
      break;
  }
  return "steps";
}

Result<bool> train_objective(const OpenRun& open, nlohmann::json& report) {
  switch (open.sections.rm.objective) {
    case RewardObjective::kPairs:
      return train_and_evaluate<PairRecord>(open, "pairs", report);
    case RewardObjective::kSteps:
      return train_and_evaluate<SteppedRecord>(open, "completions with labelled steps", report);
    default:
      return train_and_evaluate<RatedRecord>(open, "rated completions", report);
  }
}

Result<int> run(const RunOptions& options, const RewardModelSections& sections, const Config& config) {
  if (options.out.empty()) {
    return Error{"reward-model needs --model PATH, --pairs FILE and --out FOLDER"};
  }
  install_interrupt_handler();
  PLUMB_ASSIGN(
      RunFolder folder,
      RunFolder::enter(
          {.command = "reward-model", .out = options.out, .model = sections.model.path, .resume = options.resume}));
  if (sections.model.path.empty() || sections.rm.pairs.empty()) {
    return Error{"reward-model needs --model PATH, --pairs FILE and --out FOLDER"};
  }
  PLUMB_ASSIGN(const RunManifest manifest, manifest_for(sections, config));
  PLUMB_ASSIGN(auto source, open_model(sections.model.path));
  PLUMB_TRY(folder.compare(config, manifest));
  if (folder.resumes() && is_complete_reward_model(folder)) {
    return say_complete(folder);
  }
  PLUMB_ASSIGN(const auto bench, Workbench::open(std::move(source), sections.model, true));
  JudgeTokens tokens;
  PLUMB_ASSIGN(tokens.good, one_token(sections.rm.good, bench->tokenizer(), "good"));
  PLUMB_ASSIGN(tokens.bad, one_token(sections.rm.bad, bench->tokenizer(), "bad"));
  if (tokens.good == tokens.bad) {
    return Error{
        fmt::format("rm.good, rm.bad: expected two different tokens, found \"{}\" and \"{}\": every reward would be 0",
                    sections.rm.good, sections.rm.bad)};
  }
  nlohmann::json report = {{"objective", name_of(sections.rm.objective)},
                           {"good", sections.rm.good},
                           {"bad", sections.rm.bad},
                           {"good_id", tokens.good},
                           {"bad_id", tokens.bad}};
  const OpenRun open{options, sections, *bench, folder, tokens};
  PLUMB_ASSIGN(const bool finished, train_objective(open, report));
  if (!finished) {
    std::printf("stopped and saved; go on with --resume --out %s\n", options.out.c_str());
    return kInterruptedStatus;
  }
  PLUMB_TRY(write_file_atomic(options.out + "/reward_model.json", report.dump(2)));
  forget_reward_model_progress(folder);
  PLUMB_TRY(write_report(options.out));
  std::printf("weights in %s/policy, figures in %s/reward_model.json and %s/report.html\n", options.out.c_str(),
              options.out.c_str(), options.out.c_str());
  return 0;
}

}  // namespace

void register_reward_model(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand(
      "reward-model", "Train a model that scores completions, from preference pairs, pass rates or labelled steps");
  auto options = std::make_shared<RunOptions>();
  auto pairs = std::make_shared<std::vector<std::string>>();
  options->command = "reward-model";
  command->add_option("--config", options->config_files, "TOML file; more than one: later ones override")->take_all();
  command->add_option("--set", options->overrides, "section.key=value; overrides the files")->take_all();
  command->add_option("--model", options->model, "a GGUF file or a Hugging Face folder");
  command->add_option("--pairs", *pairs, "short for --set rm.pairs=[...]")->take_all();
  command->add_option("--out", options->out, "the folder to write");
  command->add_flag("--resume", options->resume,
                    "go on with the run in the folder, by its own config.toml unless --config names another");
  command->add_flag("--print-config", options->print_config, "print the resolved config with all its keys, and stop");
  command->callback([options, pairs, &action] {
    action = [options, pairs]() -> Result<int> {
      RewardModelSections sections;
      Config config;
      config.add("run", sections.run);
      config.add("model", sections.model);
      config.add("rm", sections.rm);
      PLUMB_TRY(load_config(*options, config));
      if (!pairs->empty()) {
        sections.rm.pairs = *pairs;
      }
      if (options->print_config) {
        std::fputs(config.to_toml().c_str(), stdout);
        return 0;
      }
      return run(*options, sections, config);
    };
  });
}

}  // namespace plumb
