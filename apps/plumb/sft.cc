// plumb sft: demonstrations to weights.

#include <algorithm>
#include <cstdio>
#include <iterator>

#include "apps/plumb/idle_settings.h"
#include "apps/plumb/interrupt.h"
#include "apps/plumb/run_context.h"
#include "apps/plumb/run_options.h"
#include "apps/plumb/stage_sft.h"
#include "core/escape.h"
#include "eval/report/report.h"

namespace plumb {
namespace {

// A row that nothing can be learned from may be meant so (tasks for GRPO stand in the same files), or a mistake.
void say_passed_over(const RunContext& context, const std::vector<std::string>& splits) {
  const Prompts rows = context.tasks(splits);
  const auto without = [](const auto& row) { return row->reference.empty(); };
  const auto first = std::ranges::find_if(rows, without);
  if (first != rows.end()) {
    std::fprintf(stderr,
                 "plumb: note: %lld of %zu rows are passed over, as they have no reply to learn from (a reference, a "
                 "completion, or an assistant's turn at the end); the first is '%s'\n",
                 static_cast<long long>(std::ranges::count_if(rows, without)), rows.size(),
                 strip_terminal((*first)->id).c_str());
  }
}

// One's own file need not name splits: whatever is not held out is for training.
std::vector<std::string> training_splits(const RunContext& context) {
  std::vector<std::string> splits = {"sft"};
  if (context.settings().data.any_split) {
    std::ranges::copy_if(context.splits(), std::back_inserter(splits),
                         [](const std::string& split) { return split != "sft" && split != "dev"; });
  }
  return splits;
}

Result<int> run_sft(const RunOptions& options, const Settings& settings) {
  PLUMB_ASSIGN(const auto context, RunContext::open(options, settings, {.judge = false, .trainable = true}));
  if (context->resume() && is_complete_sft(context->folder())) {
    return say_complete(context->folder());
  }
  const std::vector<std::string> splits = training_splits(*context);
  const auto demonstrations = context->demonstrations_of(splits);
  say_passed_over(*context, splits);
  say_idle(idle_sft_settings(settings));
  context->say_time({.sft_demonstrations = static_cast<std::int64_t>(demonstrations.size())});
  PLUMB_ASSIGN(const SftSummary summary,
               run_sft_stage(*context, demonstrations, context->demonstrations_of({"dev"}), context->resume()));
  if (summary.stopped) {
    std::printf("stopped after step %lld and saved; go on with --resume --out %s\n",
                static_cast<long long>(summary.steps), options.out.c_str());
    return kInterruptedStatus;
  }
  PLUMB_TRY(context->bench().save(context->folder().file("policy")));
  forget_sft_progress(context->folder());
  PLUMB_TRY(write_report(context->folder().path()));
  std::printf("done after %lld steps: %s (epoch %d), weights in %s, report in %s\n",
              static_cast<long long>(summary.steps), dev_loss_text(summary).c_str(), summary.best_epoch,
              context->folder().file("policy").c_str(), context->folder().file("report.html").c_str());
  return 0;
}

}  // namespace

void register_sft(CLI::App& app, Action& action) {
  add_run_command(app, action, "sft", "Fine-tune a model on the demonstrations of a task file", run_sft);
}

}  // namespace plumb
