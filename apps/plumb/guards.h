#pragma once
// What training unlearns, beside every evaluation: numbers that no reward is about.

#include <string>
#include <vector>

#include "apps/plumb/run_context.h"
#include "core/metrics_log.h"
#include "eval/humaneval.h"

namespace plumb {

/// The problems of HumanEval that the guards of `settings` ask for; none where they ask for none. Errors name the key
/// of a file that cannot be read, the guard text's too: an evaluation later on would be lost to it.
Result<std::vector<HumanEvalProblem>> read_guards(const EvalSettings& settings);
/// The files that the guards read, for the manifest.
std::vector<std::string> guard_files(const EvalSettings& settings);
/// Whether every one of the guards' problems and its completion fit into the model's context.
Result<void> check_guard_lengths(const std::vector<HumanEvalProblem>& problems, const EvalSettings& settings,
                                 Workbench& bench);

/// Of the bench's weights, where the settings ask: guard/perplexity of eval.guard_text; guard/humaneval, the share of
/// the problems of eval.guard_humaneval outside the overlap with the primer that the greedy completion solves; and
/// where `trained`, guard/kl, KL(base || policy) per token of eval.guard_text, in nats, exact over the vocabulary, with
/// model.path as the base (which is loaded for it). Problems that could not be judged are left out and said on standard
/// error. `visit`: of FaultPlace. Errors: those files; no problem could be judged.
Result<void> add_guards(RunContext& context, const std::string& visit, bool trained, MetricMap& metrics);

}  // namespace plumb
