// plumb quickstart: the main job, end to end. evaluate -> SFT -> evaluate -> GRPO -> evaluate -> report.

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <optional>

#include "apps/plumb/checkpoint.h"
#include "apps/plumb/idle_settings.h"
#include "apps/plumb/interrupt.h"
#include "apps/plumb/run_context.h"
#include "apps/plumb/run_options.h"
#include "apps/plumb/stage_eval.h"
#include "apps/plumb/stage_grpo.h"
#include "apps/plumb/stage_sft.h"
#include "eval/report/report.h"

namespace plumb {
namespace {

using Clock = std::chrono::steady_clock;

class Quickstart {
 public:
  explicit Quickstart(RunContext& context) : context_(context), start_(Clock::now()) {}

  Result<int> run() {
    say_time();
    PLUMB_TRY(check_stages());
    PLUMB_TRY(context_.claim());
    PLUMB_TRY(open_logs());
    PLUMB_ASSIGN(const bool begun, evaluate({"base"}));
    if (!begun) {
      return stopped("the first evaluation");
    }
    PLUMB_ASSIGN(const bool warm, sft());
    if (!warm) {
      return stopped("SFT");
    }
    PLUMB_ASSIGN(const bool warm_known, evaluate({"sft", 0, true}));
    if (!warm_known) {
      return stopped("the evaluation after SFT");
    }
    PLUMB_ASSIGN(const bool learned, grpo());
    if (!learned) {
      return stopped("GRPO");
    }
    PLUMB_ASSIGN(const bool learned_known, evaluate({"grpo", context_.settings().grpo.steps, true}));
    if (!learned_known) {
      return stopped("the last evaluation");
    }
    PLUMB_TRY(write_report(context_.folder().path()));
    say("done");
    std::printf("\n%s\nweights: %s\nreport:  %s\n", evaluation_table(evaluations_).c_str(), kept("policy").c_str(),
                kept("report.html").c_str());
    return 0;
  }

 private:
  [[nodiscard]] std::string kept(const std::string& name) const { return context_.folder().file(name); }
  [[nodiscard]] bool has(const std::string& name) const { return std::filesystem::exists(kept(name)); }

  void say(const std::string& what) const {
    const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
    std::fprintf(stderr, "[%5.1f min] %s\n", seconds / 60, what.c_str());
  }

  void say_time() const {
    const Settings& settings = context_.settings();
    std::int64_t samples = 0;
    for (const std::string& split : settings.eval.splits) {
      samples += num_eval_samples(settings, context_.prompts({split}));
    }
    const auto demonstrations = static_cast<std::int64_t>(context_.demonstrations_of({"sft"}).size());
    say_idle(idle_sft_settings(settings));
    say_idle(idle_grpo_settings(settings));
    context_.say_time(
        {.sft_demonstrations = demonstrations, .grpo_steps = settings.grpo.steps, .eval_samples = 3 * samples});
  }

  // What a later stage would refuse is heard before the first.
  Result<void> check_stages() {
    PLUMB_TRY(check_eval_stage(context_, eval_sets(context_, context_.settings().eval.splits)));
    PLUMB_TRY(check_sft_stage(context_, context_.demonstrations_of({"sft"}), context_.demonstrations_of({"dev"})));
    return check_grpo_stage(context_, context_.training_prompts());
  }

  // A resumed run forgets the lines of the stage that it does again; GRPO with a checkpoint sees to its own.
  Result<void> open_logs() {
    std::optional<ResumePoint> from;
    if (context_.resume()) {
      from = has("policy") ? ResumePoint{"grpo", context_.settings().grpo.steps}
             : has("sft")  ? ResumePoint{"grpo", 0}
                           : ResumePoint{"sft", -1};  // with the dev loss before training
      if (resumes_sft()) {
        return {};
      }
      const bool resumes_grpo = !has("policy") && newest_checkpoint(context_.folder().path());
      if (resumes_grpo) {
        return {};
      }
    }
    return context_.folder().open_logs(from);
  }

  // False: the user stopped it.
  Result<bool> evaluate(const EvalStage& stage) {
    say("evaluating the " + (stage.name == "base" ? "untrained model" : stage.name + " model") +
        " on held-out functions");
    const std::vector<EvalSet> sets = eval_sets(context_, context_.settings().eval.splits);
    const auto evaluations = run_eval_stage(context_, sets, stage);
    if (!evaluations) {
      return interrupted() ? Result<bool>(false) : evaluations.error();
    }
    evaluations_.insert(evaluations_.end(), evaluations->begin(), evaluations->end());
    return true;
  }

  [[nodiscard]] bool resumes_sft() const { return context_.resume() && !has("sft") && has("sft-progress"); }

  // False: the user stopped it.
  Result<bool> sft() {
    if (context_.resume() && has("sft")) {
      PLUMB_TRY(context_.bench().load_weights(kept("sft")));
      return true;
    }
    say("SFT: learning the form of an answer from the demonstrations");
    PLUMB_ASSIGN(const SftSummary summary, run_sft_stage(context_, context_.demonstrations_of({"sft"}),
                                                         context_.demonstrations_of({"dev"}), resumes_sft()));
    if (!summary.stopped) {
      PLUMB_TRY(context_.bench().save(kept("sft")));
      forget_sft_progress(context_.folder());
    }
    return !summary.stopped;
  }

  Result<bool> grpo() {
    if (context_.resume() && has("policy")) {
      PLUMB_TRY(context_.bench().load_weights(kept("policy")));
      return true;
    }
    say("GRPO: sampling, judging and learning");
    const bool resumes = context_.resume() && newest_checkpoint(context_.folder().path());
    PLUMB_ASSIGN(const GrpoSummary summary, run_grpo_stage(context_, context_.training_prompts(), resumes));
    if (!summary.stopped) {
      PLUMB_TRY(context_.bench().save(kept("policy")));
    }
    return !summary.stopped;
  }

  [[nodiscard]] int stopped(const std::string& where) const {
    std::printf("stopped during %s and saved; go on with --resume --out %s\n", where.c_str(),
                context_.folder().path().c_str());
    return kInterruptedStatus;
  }

  RunContext& context_;
  Clock::time_point start_;
  std::vector<Evaluation> evaluations_;
};

Result<int> run_quickstart(const RunOptions& options, const Settings& settings) {
  PLUMB_ASSIGN(const auto context, RunContext::open(options, settings, {.judge = true, .trainable = true}));
  return Quickstart(*context).run();
}

}  // namespace

void register_quickstart(CLI::App& app, Action& action) {
  add_run_command(app, action, "quickstart", "The main job: evaluate, SFT, evaluate, GRPO, evaluate, report",
                  run_quickstart);
}

}  // namespace plumb
