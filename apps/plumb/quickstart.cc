// plumb quickstart: the main job, end to end. evaluate -> SFT -> evaluate -> GRPO -> evaluate -> report.

#include <fmt/format.h>

#include <chrono>
#include <cstdio>

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
    PLUMB_TRY(context_.folder().open_logs({}));
    PLUMB_TRY(evaluate("base"));
    say("SFT: learning the form of an answer from the demonstrations");
    PLUMB_ASSIGN(const SftSummary sft,
                 run_sft_stage(context_.settings(), context_.bench(), context_.folder(),
                               context_.demonstrations_of("sft"), context_.demonstrations_of("dev")));
    if (sft.stopped) {
      return stopped("SFT");
    }
    PLUMB_TRY(context_.bench().save(context_.folder().file("sft")));
    PLUMB_TRY(evaluate("sft"));
    say("GRPO: sampling, judging and learning");
    PLUMB_ASSIGN(const GrpoSummary grpo,
                 run_grpo_stage(context_.settings(), context_.bench(), context_.folder(), context_.judge(),
                                context_.prompts(context_.settings().data.train_splits), false));
    if (grpo.stopped) {
      return stopped("GRPO");
    }
    PLUMB_TRY(context_.bench().save(context_.folder().file("policy")));
    PLUMB_TRY(evaluate("grpo"));
    PLUMB_TRY(write_report(context_.folder().path()));
    std::printf("\n%s\nweights: %s\nreport:  %s\n", evaluation_table(evaluations_).c_str(),
                context_.folder().file("policy").c_str(), context_.folder().file("report.html").c_str());
    return 0;
  }

 private:
  void say(const std::string& what) const {
    const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
    std::fprintf(stderr, "[%5.1f min] %s\n", seconds / 60, what.c_str());
  }

  Result<void> evaluate(const std::string& stage) {
    say("evaluating the " + (stage == "base" ? "untrained model" : stage + " model") + " on held-out functions");
    for (const std::string& split : context_.settings().eval.splits) {
      PLUMB_ASSIGN(const auto evaluations, run_eval_stage(context_.settings(), context_.bench(), context_.folder(),
                                                          context_.judge(), {split, context_.prompts({split})}, stage));
      evaluations_.insert(evaluations_.end(), evaluations.begin(), evaluations.end());
    }
    return {};
  }

  [[nodiscard]] int stopped(const std::string& where) const {
    std::printf("stopped during %s; what was done is in %s\n", where.c_str(), context_.folder().path().c_str());
    return 1;
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
