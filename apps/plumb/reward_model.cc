// plumb reward-model: preference pairs to a model that scores completions.

#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <map>

#include "apps/plumb/interrupt.h"
#include "apps/plumb/reward_pairs.h"
#include "apps/plumb/run_options.h"
#include "apps/plumb/settings.h"
#include "core/atomic_file.h"
#include "core/progress.h"
#include "eval/intervals.h"

namespace plumb {
namespace {

struct RewardModelSettings {
  std::vector<std::string> pairs;
  std::string good = "Yes";
  std::string bad = "No";
  double learning_rate = 1e-5;
  int batch_size = 16;
  int max_epochs = 1;
  double warmup_share = 0.05;
  double final_fraction = 0.1;
  double weight_decay = 0.0;
  double max_grad_norm = 1.0;
  double margin_scale = 0.0;
  double centring = 0.01;
  double dev_share = 0.2;
  std::int64_t micro_batch_tokens = 1024;

  void describe(ConfigSection& section) {
    section.field("pairs", pairs, {.help = "JSON Lines files of preference pairs (plumb data rm-from-rollouts)"});
    section.field("good", good, {.help = "the token whose logit is the reward's positive part"});
    section.field("bad", bad, {.help = "and its negative part"});
    section.field("learning_rate", learning_rate, {.help = "peak step size of AdamW", .min = 0, .max = 1});
    section.field("batch_size", batch_size, {.help = "per update", .unit = "pairs", .min = 1, .max = 65536});
    section.field("max_epochs", max_epochs, {.help = "passes over the pairs", .min = 1, .max = 1000});
    section.field("warmup_share", warmup_share, {.help = "of the updates", .min = 0, .max = 1});
    section.field("final_fraction", final_fraction,
                  {.help = "of the rate, at the end of the cosine", .min = 0, .max = 1});
    section.field("weight_decay", weight_decay, {.help = "of AdamW, on matrices", .min = 0, .max = 1});
    section.field("max_grad_norm", max_grad_norm, {.help = "global limit; 0 = none", .min = 0, .max = 1e9});
    section.field("margin_scale", margin_scale,
                  {.help = "times a pair's margin; 0 = no margins", .min = 0, .max = 1e3});
    section.field("centring", centring, {.help = "pulls the sum of a pair's rewards to 0", .min = 0, .max = 1e3});
    section.field("dev_share", dev_share, {.help = "of the families, held out", .min = 0, .max = 0.9});
    section.field("micro_batch_tokens", micro_batch_tokens,
                  {.help = "rows per forward and backward", .unit = "tokens", .min = 1, .max = 1 << 20});
  }
};

struct Sections {
  RunSettings run;
  ModelSettings model;
  RewardModelSettings rm;
};

Result<std::int32_t> one_token(const std::string& text, const Tokenizer& tokenizer, const char* key) {
  const std::vector<std::int32_t> ids = tokenizer.encode(text, false);
  if (ids.size() != 1) {
    return Error{fmt::format("rm.{}: expected a text that is one token of this model, found {} tokens in \"{}\"", key,
                             ids.size(), text)};
  }
  return ids.front();
}

// Accuracies over families: pairs of one prompt are alike, so the interval resamples families.
class Accuracy {
 public:
  void add(const std::string& family, double right) {
    auto& [sum, count] = families_[family];
    sum += right;
    ++count;
    sum_ += right;
    ++count_;
  }
  [[nodiscard]] double mean() const { return count_ == 0 ? std::nan("") : sum_ / static_cast<double>(count_); }
  [[nodiscard]] nlohmann::json to_json() const {
    std::vector<double> means;
    for (const auto& [family, sums] : families_) {
      means.push_back(sums.first / static_cast<double>(sums.second));
    }
    const Interval interval = bca_interval(means);
    return {{"accuracy", mean()}, {"low", interval.low}, {"high", interval.high}, {"pairs", count_}};
  }
  [[nodiscard]] std::string to_text() const {
    const nlohmann::json json = to_json();
    const auto end = [&](const char* key) { return json[key].is_number() ? json[key].get<double>() : std::nan(""); };
    return count_ == 0 ? "no pairs"
                       : fmt::format("{:.3f} [{:.3f}, {:.3f}] of {} pairs", mean(), end("low"), end("high"), count_);
  }

 private:
  std::map<std::string, std::pair<double, std::int64_t>> families_;
  double sum_ = 0;
  std::int64_t count_ = 0;
};

nlohmann::json evaluate(Policy& policy, std::span<const PairRecord> records, JudgeTokens tokens) {
  std::map<std::string, Accuracy> all;
  std::vector<double> margins;
  for (const PairRecord& record : records) {
    if (record.pair.tie) {
      continue;
    }
    const std::vector<std::vector<std::int32_t>> both = {record.pair.chosen, record.pair.rejected};
    const std::vector<double> rewards = rewards_of_prompt(policy, record.pair.prompt, both, tokens);
    margins.push_back(rewards[0] - rewards[1]);
    const double right = margins.back() > 0 ? 1 : margins.back() < 0 ? 0 : 0.5;
    const auto ahead =
        static_cast<double>(record.pair.rejected.size()) - static_cast<double>(record.pair.chosen.size());
    const double shorter = ahead > 0 ? 1 : ahead < 0 ? 0 : 0.5;
    all["all"].add(record.family, right);
    all["baseline: shorter"].add(record.family, shorter);
    all["verdict " + (record.rejected_verdict.empty() ? "none" : record.rejected_verdict)].add(record.family, right);
    if (is_hard(record)) {
      all["hard"].add(record.family, right);
      all["baseline: shorter, hard"].add(record.family, shorter);
    }
  }
  nlohmann::json result = nlohmann::json::object();
  for (const auto& [name, accuracy] : all) {
    std::printf("%-26s %s\n", name.c_str(), accuracy.to_text().c_str());
    result[name] = accuracy.to_json();
  }
  const Calibration calibration = calibration_of(margins, 10);
  std::printf("%-26s %.3f\n", "calibration error (ECE)", calibration.error);
  result["ece"] = calibration.error;
  for (const ReliabilityBin& bin : calibration.bins) {
    result["reliability"].push_back({{"confidence", bin.confidence}, {"accuracy", bin.accuracy}, {"count", bin.count}});
  }
  return result;
}

Result<void> train(Workbench& bench, std::span<const RewardPair> pairs, JudgeTokens tokens, const Sections& sections,
                   const std::string& out) {
  const RewardModelSettings& rm = sections.rm;
  const auto batch = static_cast<std::int64_t>(rm.batch_size);
  const std::int64_t steps = rm.max_epochs * ((static_cast<std::int64_t>(pairs.size()) + batch - 1) / batch);
  RewardModelOptions options;
  options.schedule = {static_cast<float>(rm.learning_rate), std::llround(rm.warmup_share * static_cast<double>(steps)),
                      steps, Decay::kCosine, static_cast<float>(rm.final_fraction)};
  options.batch_size = rm.batch_size;
  options.max_epochs = rm.max_epochs;
  options.centring = rm.centring;
  options.seed = sections.run.seed;
  options.micro_batch_tokens = rm.micro_batch_tokens;
  OptimizerOptions adamw;
  adamw.weight_decay = static_cast<float>(rm.weight_decay);
  adamw.max_grad_norm = static_cast<float>(rm.max_grad_norm);
  Optimizer optimizer(bench.policy(), bench.pool(), adamw);
  PLUMB_ASSIGN(AppendFile log, AppendFile::open(out + "/metrics.jsonl", 0));
  Progress progress("reward-model", steps, progress_in("step"));
  Result<void> failure;
  train_reward_model(bench.policy(), optimizer, pairs, tokens, options, [&](const RewardModelStep& step) {
    const nlohmann::json line = {{"stage", "reward_model"},
                                 {"step", step.step},
                                 {"loss", step.loss},
                                 {"accuracy", step.accuracy},
                                 {"margin", step.margin},
                                 {"grad_norm", step.grad_norm},
                                 {"learning_rate", step.learning_rate}};
    failure = log.append(line.dump());
    if (failure && !std::isfinite(step.loss)) {
      failure =
          Error{fmt::format("reward-model: the loss of step {} is not finite; lower rm.learning_rate", step.step)};
    }
    if (failure && interrupted()) {
      failure = Error{"reward-model: stopped; nothing is saved. The same command runs it again, to the same weights"};
    }
    progress.update(step.step, fmt::format("loss {:.3f} accuracy {:.2f}", step.loss, step.accuracy));
    return failure.ok();
  });
  PLUMB_TRY(failure);
  progress.finish();
  return log.sync();
}

Result<int> run(const RunOptions& options, const Sections& sections) {
  if (options.out.empty() || sections.model.path.empty() || sections.rm.pairs.empty()) {
    return Error{"reward-model needs --model PATH, --pairs FILE and --out FOLDER"};
  }
  // A run that was stopped has neither, and may be run again in its folder.
  const auto holds = [&](const char* name) { return std::filesystem::exists(options.out + "/" + name); };
  if (holds("policy") || holds("manifest.json")) {
    return Error{options.out + ": holds a run already; take another --out, or move that folder away"};
  }
  install_interrupt_handler();
  PLUMB_TRY(ensure_writable_folder(options.out));
  PLUMB_ASSIGN(auto source, open_model(sections.model.path));
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
  PLUMB_TRY(train(*bench, pairs, tokens, sections, options.out));
  PLUMB_TRY(bench->save(options.out + "/policy"));
  const nlohmann::json report = {{"good", sections.rm.good},
                                 {"bad", sections.rm.bad},
                                 {"good_id", tokens.good},
                                 {"bad_id", tokens.bad},
                                 {"held_out", evaluate(bench->policy(), held_out, tokens)}};
  PLUMB_TRY(write_file_atomic(options.out + "/reward_model.json", report.dump(2)));
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
  command->add_flag("--print-config", options->print_config, "print the resolved config with all its keys, and stop");
  command->callback([options, pairs, &action] {
    action = [options, pairs]() -> Result<int> {
      Sections sections;
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
      return run(*options, sections);
    };
  });
}

}  // namespace plumb
