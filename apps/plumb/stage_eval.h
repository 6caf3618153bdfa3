#pragma once
// The evaluation stage: every prompt of a set, greedy and sampled, judged by the graded tests and the audit suite.

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "apps/plumb/run_context.h"
#include "core/records.h"
#include "eval/evaluation.h"

namespace plumb {

/// Prompts of one split under its name.
struct EvalSet {
  std::string name;
  std::vector<std::shared_ptr<const PromptRecord>> prompts;
};

/// Which weights are evaluated: a stage's ("base", "sft", "grpo", "eval") after `step` of its updates.
struct EvalStage {
  std::string name;
  std::int64_t step = 0;
  bool trained = false;  // they are not those of model.path any more
};

/// One evaluation by itself.
struct EvalLoad {
  EvalSet set;
  std::string stage;
  std::string visit;  // of FaultPlace, without set and temperature
  double temperature = 0;
  int samples = 1;
  bool ignores_interrupt = false;
};

struct EvalOutcome {
  Evaluation evaluation;
  std::vector<ScoredGroup> groups;
  std::string visit;  // of FaultPlace
};

/// An evaluation that lost more than this share of its completions to faults says nothing of the weights.
inline constexpr double kMostLost = 0.1;

/// Writes what could not be judged to the journal of faults, so that a resume takes it for the same.
void remember_faults(RunContext& context, const EvalOutcome& outcome);

/// "3 of 40 completions could not be judged ...", with the first reason; empty where none was lost.
std::string lost_words(const EvalOutcome& outcome);

/// Samples and judges, and saves nothing. Errors: stopped by the user, unless it ignores that: then interrupted() is
/// true.
Result<EvalOutcome> evaluate_once(RunContext& context, const EvalLoad& load);

/// The sets of these names.
std::vector<EvalSet> eval_sets(const RunContext& context, std::span<const std::string> splits);

/// Whether evaluations choose one of a prompt's samples by reward.reward_model.
bool reranks(const Settings& settings);

/// What run_eval_stage() would refuse after it has sampled: prompts that do not fit, a reward model to rerank by that
/// cannot be had. Errors name the prompt, or the key and the file.
Result<void> check_eval_stage(RunContext& context, std::span<const EvalSet> sets);

/// Evaluates the bench's weights as `stage` on each of `sets`: one evaluation at temperature 0 (if
/// settings.eval.greedy) and one for each of settings.eval.temperatures. Each is saved in the run folder, and so are
/// its completions in samples.jsonl; its scores go to metrics.jsonl as eval/<set>/... of that stage and step, beside
/// the first of them the guards. One that a resumed run finds saved is read back instead. Random numbers are those of
/// (kEvaluation, settings.run.seed): the same for every stage.
Result<std::vector<Evaluation>> run_eval_stage(RunContext& context, std::span<const EvalSet> sets,
                                               const EvalStage& stage);

/// How many completions run_eval_stage() samples for a set of `prompts`.
std::int64_t num_eval_samples(const Settings& settings,
                              const std::vector<std::shared_ptr<const PromptRecord>>& prompts);

/// One table line per evaluation, for the terminal: percent right by language, and of each prompt so many samples.
std::string evaluation_table(std::span<const Evaluation> evaluations);

}  // namespace plumb
