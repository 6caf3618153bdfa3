#include "apps/plumb/run_context.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <set>

#include "apps/plumb/guards.h"
#include "apps/plumb/interrupt.h"
#include "apps/plumb/reward_model_signal.h"
#include "apps/plumb/roof.h"
#include "apps/plumb/stage_eval.h"
#include "core/hash.h"
#include "datasets/task_file.h"
#include "reward/rules/math_worker.h"

namespace plumb {
namespace {

Result<RunManifest> manifest_for(const std::string& command, const Settings& settings, const Config& config) {
  RunManifest manifest = start_manifest(command, settings.run.seed, config);
  for (std::size_t i = 0; i < settings.data.tasks.size(); ++i) {
    PLUMB_ASSIGN(manifest.file_sha256["data" + std::to_string(i)], sha256_file(settings.data.tasks[i]));
  }
  for (const std::string& file : guard_files(settings.eval)) {
    PLUMB_ASSIGN(manifest.file_sha256["guard " + file], sha256_file(file));
  }
  PLUMB_ASSIGN(manifest.file_sha256["model"], model_checksum(settings.model.path));
  const bool evaluates = command == "eval" || command == "quickstart";
  if (settings.reward.uses_reward_model() || (evaluates && reranks(settings))) {
    auto sum = model_checksum(reward_model_weights(settings.reward.reward_model));
    if (!sum) {
      return sum.error().with_context("reward.reward_model");
    }
    manifest.file_sha256["reward_model"] = std::move(*sum);
    if (auto report = sha256_file(reward_model_report(settings.reward.reward_model))) {
      manifest.file_sha256["reward_model_report"] = std::move(*report);
    }
    PLUMB_TRY(check_reward_model(settings.reward));
  }
  return manifest;
}

// What would leave prompts without a score for a whole run is said before it.
Result<void> check_judgeable(const Prompts& all, const RewardOptions& reward) {
  const Prompts rest = judgeable(all, reward);
  // Chat with a reply is there for SFT.
  const auto needless = std::ranges::count_if(all, [](const auto& prompt) {
    return prompt->domain == Domain::kChat && !prompt->messages.empty() && !prompt->reference.empty();
  });
  const auto lost = std::ssize(all) - std::ssize(rest);
  if (lost > needless) {
    std::fprintf(stderr,
                 "plumb: note: chat rows without an answer are passed over (%lld of %lld rows): nothing can judge them "
                 "but a custom reward with reward.custom_role = \"verdict\"\n",
                 static_cast<long long>(lost), static_cast<long long>(std::ssize(all)));
  }
  const bool maths = std::ranges::any_of(all, [](const auto& prompt) { return prompt->domain == Domain::kMath; });
  if (maths && !reward.custom.is_verdict()) {
    PLUMB_TRY(find_math_worker(""));
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<RunContext>> RunContext::open(const RunOptions& options, Settings settings,
                                                     const RunNeeds& needs) {
  if (options.out.empty()) {
    return Error{"no run folder given; add --out FOLDER"};
  }
  PLUMB_ASSIGN(
      RunFolder folder,
      RunFolder::enter(
          {.command = options.command, .out = options.out, .model = settings.model.path, .resume = options.resume}));
  if (settings.model.path.empty()) {
    return Error{"no model given; add --model PATH (a GGUF file or a Hugging Face folder)"};
  }
  PLUMB_TRY(settings.reward.check());
  PLUMB_ASSIGN(auto guard_problems, read_guards(settings.eval));
  install_interrupt_handler();
  std::unique_ptr<RunContext> context(new RunContext());
  context->settings_ = std::move(settings);
  context->guard_problems_ = std::move(guard_problems);
  context->folder_ = std::move(folder);
  Config config;
  context->settings_.add_to(config);
  PLUMB_ASSIGN(context->all_, load_tasks(context->settings_.data));
  if (needs.judge) {
    PLUMB_TRY(check_judgeable(context->all_, context->settings_.reward));
  }
  // A base model need not have a chat template to be trained on plain text.
  context->settings_.model.talks =
      std::ranges::any_of(context->all_, [](const auto& task) { return !task->messages.empty(); });
  const GrpoSettings& grpo = context->settings_.grpo;
  if (needs.trainable && grpo.dev_every > 0 && context->prompts({grpo.dev_split}).empty()) {
    return Error{
        fmt::format("grpo.dev_every: no prompt of data.tasks is in the split '{}' (grpo.dev_split)", grpo.dev_split)};
  }
  PLUMB_ASSIGN(const RunManifest manifest, manifest_for(options.command, context->settings_, config));
  PLUMB_ASSIGN(auto source, open_model(context->settings_.model.path));
  context->shape_ = source->hyperparameters;
  const RunEstimate estimate = estimate_run(source->hyperparameters, context->settings_, needs.trainable);
  PLUMB_TRY(check_fits(estimate, options.out));
  PLUMB_ASSIGN(context->bench_, Workbench::open(std::move(source), context->settings_.model, needs.trainable));
  PLUMB_TRY(check_guard_lengths(context->guard_problems_, context->settings_.eval, *context->bench_));
  PLUMB_TRY(context->folder_->compare(config, manifest));
  std::fprintf(stderr, "plumb: %s\n", describe(estimate).c_str());
  context->roof_gflops_ = quick_roof_gflops(context->settings_.model.dtype, context->bench_->pool());
  if (needs.judge) {
    PLUMB_ASSIGN(context->sandbox_, start_judge(judge_options(context->settings_.judge)));
  }
  return context;
}

Result<void> RunContext::claim() {
  PLUMB_TRY(folder_->claim());
  if (sandbox_ == nullptr || journal_ != nullptr) {
    return {};
  }
  PLUMB_ASSIGN(journal_, VerdictJournal::open(folder_->file("verdicts.jsonl"), *sandbox_));
  PLUMB_ASSIGN(faults_, FaultJournal::open(folder_->file("faults.jsonl")));
  if (settings_.reward.custom.used()) {
    PLUMB_ASSIGN(custom_scores_, CustomScoreJournal::open(folder_->file("custom_scores.jsonl")));
  }
  for (const JsonJournal* journal : journals()) {
    if (!journal->note().empty()) {
      std::fprintf(stderr, "plumb: note: %s\n", journal->note().c_str());
    }
  }
  return {};
}

std::vector<JsonJournal*> RunContext::journals() const {
  std::vector<JsonJournal*> all;
  if (journal_) {
    all.push_back(&journal_->file());
  }
  if (faults_) {
    all.push_back(&faults_->file());
  }
  if (custom_scores_) {
    all.push_back(&custom_scores_->file());
  }
  return all;
}

Result<void> RunContext::judge_status() const {
  for (const JsonJournal* journal : journals()) {
    PLUMB_TRY(journal->status());
  }
  return {};
}

Result<void> RunContext::sync_logs() {
  for (JsonJournal* journal : journals()) {
    PLUMB_TRY(journal->sync());
  }
  return folder_->sync_logs();
}

ScorerOptions RunContext::scorer_options(bool audit, const std::string& visit) const {
  ScorerOptions options = plumb::scorer_options(settings_.judge);
  options.audit = audit;
  options.reward = settings_.reward.verdicts();
  options.custom_scores = custom_scores_.get();
  options.known_faults = faults_->of(visit);
  return options;
}

void RunContext::say_time(const RunWork& work) const {
  const std::string time = minutes_text(estimate_minutes(shape_, settings_, work, roof_gflops_));
  std::fprintf(stderr, "plumb: %s if the machine is idle (%.0f GFLOP/s in %s products, measured now)\n", time.c_str(),
               roof_gflops_, settings_.model.dtype == ComputeDtype::kF32 ? "f32" : "bf16");
}

Prompts RunContext::training_prompts() const {
  return plumb::training_prompts(all_, settings_);
}

std::vector<std::string> RunContext::splits() const {
  std::set<std::string> found;
  for (const auto& prompt : all_) {
    found.insert(prompt->split);
  }
  return {found.begin(), found.end()};
}

Prompts RunContext::tasks(const std::vector<std::string>& splits) const {
  return in_splits(all_, splits);
}

Prompts RunContext::prompts(const std::vector<std::string>& splits) const {
  return judgeable(tasks(splits), settings_.reward);
}

std::vector<SftRecord> RunContext::demonstrations_of(const std::vector<std::string>& splits) const {
  std::vector<PromptRecord> records;
  for (const auto& prompt : all_) {
    if (is_in_splits(*prompt, splits)) {
      records.push_back(*prompt);
    }
  }
  return demonstrations(records);
}

}  // namespace plumb
