#include "apps/plumb/stage_reward_model.h"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <filesystem>

#include "apps/plumb/bad_batch.h"
#include "apps/plumb/checkpoint_writer.h"
#include "apps/plumb/interrupt.h"
#include "apps/plumb/layer_norms.h"
#include "apps/plumb/update_watch.h"
#include "core/progress.h"

namespace plumb {

void RewardModelSettings::describe(ConfigSection& section) {
  section.field(
      "pairs", pairs,
      {.help = "JSON Lines files of preference pairs (plumb data rm-from-rollouts), of completions with pass rates "
               "(... --pass-rates) or with labelled steps (... --steps), as the objective wants them"});
  section.field("eval_pairs", eval_pairs,
                {.help = "more of them, of which those of held-out families are scored when the training has ended"});
  section.choice(
      "objective", objective,
      {{"pairs", RewardObjective::kPairs},
       {"regression", RewardObjective::kRegression},
       {"classification", RewardObjective::kClassification},
       {"steps", RewardObjective::kSteps}},
      {.help = "Bradley and Terry's of pairs; or, of sigmoid(reward) against pass rates, the squared error or "
               "the cross-entropy; or the latter of each step against its label"});
  section.field("good", good, {.help = "the token whose logit is the reward's positive part"});
  section.field("bad", bad, {.help = "and its negative part"});
  optimizer.describe(section);
  section.field("batch_size", batch_size,
                {.help = "per update", .unit = "pairs or completions", .min = 1, .max = 65536});
  section.field("max_epochs", max_epochs, {.help = "passes over the rows", .min = 1, .max = 1000});
  section.field("warmup_share", warmup_share, {.help = "linear warm-up, of the updates", .min = 0, .max = 1});
  section.field("margin_scale", margin_scale, {.help = "times a pair's margin; 0 = no margins", .min = 0, .max = 1e3});
  section.field("centring", centring,
                {.help = "pulls the sum of a pair's rewards to 0; pairs alone", .min = 0, .max = 1e3});
  section.field("dev_share", dev_share, {.help = "of the families, held out", .min = 0, .max = 0.9});
  section.field("micro_batch_tokens", micro_batch_tokens,
                {.help = "rows per forward and backward", .unit = "tokens", .min = 1, .max = 1 << 20});
  section.field("checkpoint_every", checkpoint_every,
                {.help = "0 = on Ctrl-C only", .unit = "steps", .min = 0, .max = 1e9});
}

namespace {

constexpr const char* kProgress = "rm-progress";

constexpr const char* kHeldOutStage = "eval";

RewardModelOptions learner_options(const RewardModelSections& sections, std::size_t num_examples) {
  const RewardModelSettings& rm = sections.rm;
  const std::int64_t steps = num_reward_model_steps(rm, num_examples);
  RewardModelOptions options;
  options.schedule = rm.optimizer.schedule(std::llround(rm.warmup_share * static_cast<double>(steps)), steps);
  options.batch_size = rm.batch_size;
  options.max_epochs = rm.max_epochs;
  options.objective = rm.objective;
  options.centring = rm.centring;
  options.seed = sections.run.seed;
  options.micro_batch_tokens = rm.micro_batch_tokens;
  return options;
}

class RewardModelRun {
 public:
  RewardModelRun(Workbench& bench, RunFolder& folder, const RewardModelSections& sections, std::int64_t num_steps)
      : settings_(sections.rm),
        layer_norms_(sections.run.layer_norms),
        bench_(bench),
        folder_(folder),
        optimizer_(bench.policy(), bench.pool(), sections.rm.optimizer.options()),
        checkpoints_(optimizer_),
        progress_("reward-model", num_steps, progress_in("step")) {}

  // Updates that were made already.
  Result<std::int64_t> begin(bool resume) {
    std::int64_t done = 0;
    if (resume) {
      PLUMB_ASSIGN(const auto loaded, load_newest_checkpoint(folder_.file(kProgress), {bench_, optimizer_}));
      done = loaded ? loaded->step : 0;
      watch_.begin(loaded ? loaded->skipped_in_a_row : 0, optimizer_.num_updates());
      // Held-out figures are of the end: were they said already, they will be said again.
      PLUMB_TRY(MetricsLog::open(folder_.path(), ResumePoint{kHeldOutStage, -1}));
      PLUMB_TRY(folder_.open_logs(ResumePoint{"reward_model", done}));
      progress_.start_at(done);
    } else {
      PLUMB_TRY(folder_.open_logs({}));
    }
    return done;
  }

  Result<bool> run(const RewardExamples& examples, JudgeTokens tokens, const RewardModelOptions& options) {
    train_reward_model(bench_.policy(), optimizer_, examples, tokens, options, [&](const RewardModelStep& step) {
      failure_ = on_step(examples, step);
      return failure_.ok() && !stopped_;
    });
    PLUMB_TRY(failure_);
    PLUMB_TRY(checkpoints_.wait());
    if (!stopped_) {
      progress_.finish();
    }
    PLUMB_TRY(folder_.sync_logs());
    return !stopped_;
  }

 private:
  [[nodiscard]] std::vector<nlohmann::json> rows_of(const RewardExamples& examples,
                                                    std::span<const std::size_t> places) const {
    std::vector<nlohmann::json> rows;
    for (const std::size_t place : places) {
      rows.push_back(
          std::visit([&](const auto& all) { return bad_batch_row(all[place], bench_.tokenizer()); }, examples));
    }
    return rows;
  }

  Result<void> on_step(const RewardExamples& examples, const RewardModelStep& step) {
    const auto now = std::chrono::steady_clock::now();
    MetricMap metrics = {{"loss", step.loss},
                         {"accuracy", step.accuracy},
                         {"grad_norm", step.grad_norm},
                         {"learning_rate", step.learning_rate}};
    if (settings_.objective == RewardObjective::kPairs) {
      metrics["margin"] = step.margin;
    } else {
      metrics["rm/mse"] = step.squared_error;
    }
    add_layer_norms(layer_norms_, optimizer_, metrics);
    PLUMB_TRY(folder_.log("reward_model", step.step, metrics,
                          {{"timing_s/step", std::chrono::duration<double>(now - last_).count()},
                           {"timing_s/checkpoint", checkpoints_.take_stall_s()}}));
    last_ = now;
    const UpdateWatch::Word word = watch_.after_step(step.step, step.loss, step.grad_norm);
    if (!word.fault.empty()) {
      PLUMB_TRY(folder_.sync_logs());
      return stop_with_bad_batch(folder_, "reward-model", "rm", word, rows_of(examples, step.places));
    }
    if (!word.note.empty()) {
      progress_.line(word.note);
    }
    progress_.update(step.step, fmt::format("loss {:.3f} accuracy {:.2f}", step.loss, step.accuracy));
    stopped_ = interrupted();
    const bool due = settings_.checkpoint_every > 0 && step.step % settings_.checkpoint_every == 0;
    return due || stopped_ ? save(step.step) : Result<void>();
  }

  Result<void> save(std::int64_t step) {
    PLUMB_TRY(folder_.sync_logs());
    TrainerState state;
    state.step = step;
    state.skipped_in_a_row = watch_.skipped_in_a_row();
    return checkpoints_.start(folder_.file(kProgress), state, {bench_, optimizer_}, 1);
  }

  const RewardModelSettings& settings_;
  bool layer_norms_;
  Workbench& bench_;
  RunFolder& folder_;
  Optimizer optimizer_;
  CheckpointWriter checkpoints_;
  Progress progress_;
  UpdateWatch watch_;
  Result<void> failure_;
  bool stopped_ = false;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

}  // namespace

std::int64_t num_reward_model_steps(const RewardModelSettings& rm, std::size_t num_examples) {
  const auto batch = static_cast<std::int64_t>(rm.batch_size);
  return rm.max_epochs * ((static_cast<std::int64_t>(num_examples) + batch - 1) / batch);
}

Result<bool> train_reward_model_run(Workbench& bench, RunFolder& folder, const RewardExamples& examples,
                                    JudgeTokens tokens, const RewardModelSections& sections, bool resume) {
  const std::size_t count = std::visit([](const auto& all) { return all.size(); }, examples);
  RewardModelOptions options = learner_options(sections, count);
  RewardModelRun run(bench, folder, sections, options.schedule.total_steps);
  PLUMB_ASSIGN(options.first_step, run.begin(resume));
  PLUMB_ASSIGN(const bool finished, run.run(examples, tokens, options));
  return finished;
}

Result<void> log_held_out(RunFolder& folder, std::int64_t steps, const MetricMap& metrics) {
  if (!metrics.empty()) {
    PLUMB_TRY(folder.log(kHeldOutStage, steps, metrics, {}));
  }
  return folder.sync_logs();
}

bool is_complete_reward_model(const RunFolder& folder) {
  return std::filesystem::exists(folder.file("reward_model.json")) && !std::filesystem::exists(folder.file(kProgress));
}

void forget_reward_model_progress(const RunFolder& folder) {
  std::error_code ignored;  // what stays costs disk, nothing else
  std::filesystem::remove_all(folder.file(kProgress), ignored);
}

}  // namespace plumb
