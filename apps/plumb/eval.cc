// plumb eval: how many functions a model gets right.

#include <cstdio>

#include "apps/plumb/humaneval.h"
#include "apps/plumb/interrupt.h"
#include "apps/plumb/run_context.h"
#include "apps/plumb/run_options.h"
#include "apps/plumb/stage_eval.h"

namespace plumb {
namespace {

Result<int> run_eval(const RunOptions& options, const Settings& settings) {
  PLUMB_ASSIGN(const auto context, RunContext::open(options, settings, {.judge = true, .trainable = false}));
  std::int64_t samples = 0;
  const auto sets = settings.data.any_split ? std::vector<EvalSet>{{"data", context->prompts({})}}
                                            : eval_sets(*context, settings.eval.splits);
  for (const EvalSet& set : sets) {
    samples += num_eval_samples(settings, set.prompts);
  }
  context->say_time({.eval_samples = samples});
  PLUMB_TRY(check_eval_stage(*context, sets));
  PLUMB_TRY(context->claim());
  PLUMB_TRY(context->folder().open_logs({}));
  const auto evaluations = run_eval_stage(*context, sets, {"eval"});
  if (!evaluations) {
    return interrupted() ? Result<int>(stopped_by_user(evaluations.error().message)) : evaluations.error();
  }
  std::fputs(evaluation_table(*evaluations).c_str(), stdout);
  return 0;
}

}  // namespace

void register_eval(CLI::App& app, Action& action) {
  CLI::App* command =
      add_run_command(app, action, "eval", "Evaluate a model on the held-out tasks of a task file", run_eval);
  add_humaneval(*command, action);
}

}  // namespace plumb
