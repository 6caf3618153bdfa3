// plumb eval: how many functions a model gets right.

#include <fmt/format.h>

#include <cmath>
#include <cstdio>

#include "apps/plumb/humaneval.h"
#include "apps/plumb/interrupt.h"
#include "apps/plumb/run_context.h"
#include "apps/plumb/run_options.h"
#include "apps/plumb/stage_eval.h"
#include "eval/report/report.h"
#include "eval/report/run_data.h"

namespace plumb {
namespace {

// What the guards said, which stand in one of the lines of metrics.jsonl, of a resumed run in an earlier one.
Result<std::string> guard_lines(const std::string& metrics_path) {
  PLUMB_ASSIGN(const auto rows, read_step_rows(metrics_path));
  std::string text;
  for (const StepRow& row : rows) {
    const auto add = [&](const char* name, const char* format) {
      const auto found = row.values.find(name);
      if (found != row.values.end() && std::isfinite(found->second)) {
        text += fmt::format(fmt::runtime(format), found->second);
      }
    };
    add("guard/perplexity", "perplexity of the guard text {:.2f}\n");
    add("guard/humaneval", "HumanEval, greedy: {:.3f} right\n");
  }
  return text;
}

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
  PLUMB_TRY(write_report(context->folder().path()));
  PLUMB_ASSIGN(const std::string guards, guard_lines(context->folder().file("metrics.jsonl")));
  std::printf("%s%sdone: figures in %s, completions in %s, report in %s\n", evaluation_table(*evaluations).c_str(),
              guards.c_str(), context->folder().file("evals").c_str(), context->folder().file("samples.jsonl").c_str(),
              context->folder().file("report.html").c_str());
  return 0;
}

}  // namespace

void register_eval(CLI::App& app, Action& action) {
  CLI::App* command =
      add_run_command(app, action, "eval", "Evaluate a model on the held-out tasks of a task file", run_eval);
  add_humaneval(*command, action);
}

}  // namespace plumb
