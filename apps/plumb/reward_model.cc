// plumb reward-model: preference pairs to a model that scores completions.

#include <fmt/format.h>

#include <cstdio>

#include "apps/plumb/interrupt.h"
#include "apps/plumb/reward_model_evaluation.h"
#include "apps/plumb/run_options.h"
#include "apps/plumb/stage_reward_model.h"
#include "core/atomic_file.h"
#include "core/hash.h"

namespace plumb {
namespace {

Result<RunManifest> manifest_for(const RewardModelSections& sections, const Config& config) {
  RunManifest manifest = start_manifest(sections.run.seed, config);
  for (std::size_t i = 0; i < sections.rm.pairs.size(); ++i) {
    PLUMB_ASSIGN(manifest.file_sha256["pairs" + std::to_string(i)], sha256_file(sections.rm.pairs[i]));
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

Result<int> run(const RunOptions& options, const RewardModelSections& sections, const Config& config) {
  if (options.out.empty() || sections.model.path.empty() || sections.rm.pairs.empty()) {
    return Error{"reward-model needs --model PATH, --pairs FILE and --out FOLDER"};
  }
  install_interrupt_handler();
  PLUMB_ASSIGN(const RunManifest manifest, manifest_for(sections, config));
  PLUMB_ASSIGN(auto source, open_model(sections.model.path));
  PLUMB_ASSIGN(RunFolder folder, RunFolder::open(options.out, options.resume, config, manifest));
  PLUMB_ASSIGN(const auto bench, Workbench::open(std::move(source), sections.model, true));
  JudgeTokens tokens;
  PLUMB_ASSIGN(tokens.good, one_token(sections.rm.good, bench->tokenizer(), "good"));
  PLUMB_ASSIGN(tokens.bad, one_token(sections.rm.bad, bench->tokenizer(), "bad"));
  std::vector<RewardPair> pairs;
  std::vector<PairRecord> held_out;
  for (const std::string& file : sections.rm.pairs) {
    PLUMB_ASSIGN(std::vector<PairRecord> records, read_pairs(file, *bench, sections.rm.margin_scale));
    for (PairRecord& record : records) {
      if (is_held_out(record.family, sections.rm.dev_share)) {
        held_out.push_back(std::move(record));
      } else {
        pairs.push_back(std::move(record.pair));
      }
    }
  }
  if (pairs.empty()) {
    return Error{"reward-model: no pairs to train on in rm.pairs (all families are held out, or the files are empty)"};
  }
  std::fprintf(stderr, "plumb: %zu pairs to train on, %zu of other families held out\n", pairs.size(), held_out.size());
  PLUMB_ASSIGN(const bool finished, train_reward_model_run(*bench, folder, pairs, tokens, sections, options.resume));
  if (!finished) {
    std::printf("stopped and saved; go on with --resume --out %s\n", options.out.c_str());
    return 0;
  }
  PLUMB_TRY(bench->save(options.out + "/policy"));
  nlohmann::json report = {{"good", sections.rm.good},
                           {"bad", sections.rm.bad},
                           {"good_id", tokens.good},
                           {"bad_id", tokens.bad},
                           {"held_out", evaluate_reward_model(bench->policy(), held_out, tokens)}};
  for (const std::string& file : sections.rm.eval_pairs) {
    PLUMB_ASSIGN(std::vector<PairRecord> records, read_pairs(file, *bench, sections.rm.margin_scale));
    std::erase_if(records, [&](const PairRecord& one) { return !is_held_out(one.family, sections.rm.dev_share); });
    std::printf("\n%s\n", file.c_str());
    report["eval_pairs"][file] = evaluate_reward_model(bench->policy(), records, tokens);
  }
  PLUMB_TRY(write_file_atomic(options.out + "/reward_model.json", report.dump(2)));
  forget_reward_model_progress(folder);
  std::printf("weights in %s/policy, figures in %s/reward_model.json\n", options.out.c_str(), options.out.c_str());
  return 0;
}

}  // namespace

void register_reward_model(CLI::App& app, Action& action) {
  CLI::App* command =
      app.add_subcommand("reward-model", "Train a model that scores completions, from preference pairs");
  auto options = std::make_shared<RunOptions>();
  auto pairs = std::make_shared<std::vector<std::string>>();
  command->add_option("--config", options->config_files, "TOML file; more than one: later ones override")->take_all();
  command->add_option("--set", options->overrides, "section.key=value; overrides the files")->take_all();
  command->add_option("--model", options->model, "a GGUF file or a Hugging Face folder");
  command->add_option("--pairs", *pairs, "short for --set rm.pairs=[...]")->take_all();
  command->add_option("--out", options->out, "the folder to write");
  command->add_flag("--resume", options->resume, "go on with the run in the folder");
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
