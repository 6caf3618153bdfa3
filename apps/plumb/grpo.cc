// plumb grpo: sample, judge, learn.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include "apps/plumb/audit_reward.h"
#include "apps/plumb/checkpoint.h"
#include "apps/plumb/idle_settings.h"
#include "apps/plumb/interrupt.h"
#include "apps/plumb/preflight.h"
#include "apps/plumb/run_context.h"
#include "apps/plumb/run_options.h"
#include "apps/plumb/stage_grpo.h"
#include "eval/report/report.h"

namespace plumb {
namespace {

Result<int> preflight(RunOptions options, const Settings& settings) {
  std::string folder = std::filesystem::temp_directory_path() / "plumb-preflight-XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) {
    return Error{folder + ": cannot be made; set TMPDIR to a folder that can be written"};
  }
  options.out = folder + "/run";
  options.resume = false;
  auto context = RunContext::open(options, settings, {.judge = true, .trainable = true});
  const Result<void> ready = context ? (*context)->claim() : context.error();
  Result<int> status = ready ? run_preflight(**context, (*context)->training_prompts()) : Result<int>(ready.error());
  std::error_code ignored;  // what stays in the temporary folder costs nothing
  std::filesystem::remove_all(folder, ignored);
  return status;
}

// Of all evaluations on dev within the run.
std::int64_t num_dev_samples(const Settings& settings, const RunContext& context) {
  const GrpoSettings& grpo = settings.grpo;
  if (grpo.dev_every == 0) {
    return 0;
  }
  const auto all = static_cast<std::int64_t>(context.prompts({grpo.dev_split}).size());
  const std::int64_t prompts = grpo.dev_prompts > 0 ? std::min<std::int64_t>(all, grpo.dev_prompts) : all;
  const std::int64_t evaluations =
      (grpo.steps + grpo.dev_every - 1) / grpo.dev_every;  // the last step's is always made
  return evaluations * prompts * settings.eval.samples;
}

Result<int> run_grpo(const RunOptions& options, const Settings& settings) {
  PLUMB_ASSIGN(const auto context, RunContext::open(options, settings, {.judge = true, .trainable = true}));
  const Prompts prompts = context->training_prompts();
  if (!context->resume()) {
    PLUMB_TRY(refuse_false_accepts(context->sandbox(), context->settings(), prompts));
  } else if (!newest_checkpoint(options.out) && std::filesystem::exists(context->folder().file("policy"))) {
    return say_complete(context->folder());
  }
  say_idle(idle_grpo_settings(settings));
  context->say_time({.grpo_steps = settings.grpo.steps, .eval_samples = num_dev_samples(settings, *context)});
  PLUMB_ASSIGN(const GrpoSummary summary, run_grpo_stage(*context, prompts, context->resume()));
  if (summary.stopped) {
    std::printf("stopped after step %lld and saved; go on with --resume --out %s\n",
                static_cast<long long>(summary.steps), context->folder().path().c_str());
    return kInterruptedStatus;
  }
  PLUMB_TRY(context->bench().save(context->folder().file("policy")));
  PLUMB_TRY(write_report(context->folder().path()));
  std::printf("done: %lld steps (%lld without an update), weights in %s, report in %s\n",
              static_cast<long long>(summary.steps), static_cast<long long>(summary.skipped_updates),
              context->folder().file("policy").c_str(), context->folder().file("report.html").c_str());
  return 0;
}

}  // namespace

void register_grpo(CLI::App& app, Action& action) {
  auto only_checks = std::make_shared<bool>(false);
  CLI::App* command = add_run_command(
      app, action, "grpo", "Improve a model by group-relative policy optimisation on judged completions",
      [only_checks](const RunOptions& options, const Settings& settings) {
        return *only_checks ? preflight(options, settings) : run_grpo(options, settings);
      });
  command->add_flag("--preflight", *only_checks, "check the set-up in a minute instead of training");
}

}  // namespace plumb
