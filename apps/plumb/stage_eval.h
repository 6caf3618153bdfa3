#pragma once
// The evaluation stage: every prompt of a set, greedy and sampled, judged by the graded tests and the audit suite.

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "apps/plumb/run_folder.h"
#include "apps/plumb/settings.h"
#include "apps/plumb/workbench.h"
#include "compiler_sandbox/judge.h"
#include "core/records.h"
#include "eval/evaluation.h"

namespace plumb {

/// Prompts of one split under its name.
struct EvalSet {
  std::string name;
  std::vector<std::shared_ptr<const PromptRecord>> prompts;
};

/// Evaluates the bench's weights as `stage` ("base", "sft", "grpo") on `set`: one evaluation at temperature 0 (if
/// settings.eval.greedy) and one for each of settings.eval.temperatures. Each is saved in the run folder, and so are
/// its completions in samples.jsonl. Random numbers are those of (kEvaluation, settings.run.seed): the same for every
/// stage.
Result<std::vector<Evaluation>> run_eval_stage(const Settings& settings, Workbench& bench, RunFolder& folder,
                                               Judge& judge, const EvalSet& set, const std::string& stage);

/// One table line per evaluation and language, for the terminal.
std::string evaluation_table(std::span<const Evaluation> evaluations);

}  // namespace plumb
