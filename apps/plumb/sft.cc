// plumb sft: demonstrations to weights.

#include <cstdio>

#include "apps/plumb/run_context.h"
#include "apps/plumb/run_options.h"
#include "apps/plumb/stage_sft.h"

namespace plumb {
namespace {

Result<int> run_sft(const RunOptions& options, const Settings& settings) {
  PLUMB_ASSIGN(const auto context, RunContext::open(options, settings, {.judge = false, .trainable = true}));
  PLUMB_TRY(context->folder().open_logs({}));
  PLUMB_ASSIGN(const SftSummary summary,
               run_sft_stage(context->settings(), context->bench(), context->folder(),
                             context->demonstrations_of("sft"), context->demonstrations_of("dev")));
  PLUMB_TRY(context->bench().save(context->folder().file("policy")));
  std::printf("%s after %lld steps: dev loss %.4f (epoch %d), weights in %s\n", summary.stopped ? "stopped" : "done",
              static_cast<long long>(summary.steps), summary.best_dev_loss, summary.best_epoch,
              context->folder().file("policy").c_str());
  return 0;
}

}  // namespace

void register_sft(CLI::App& app, Action& action) {
  add_run_command(app, action, "sft", "Fine-tune a model on the demonstrations of a task file", run_sft);
}

}  // namespace plumb
