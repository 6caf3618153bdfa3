#include "apps/plumb/guards.h"

#include <algorithm>
#include <numeric>

#include "apps/plumb/humaneval_scores.h"
#include "apps/plumb/text_guard.h"

namespace plumb {
namespace {

Result<std::vector<HumanEvalProblem>> guard_problems(const EvalSettings& settings) {
  auto problems = load_humaneval(settings.guard_humaneval, settings.guard_overlap);
  if (!problems) {
    return problems.error().with_context("eval.guard_humaneval");
  }
  std::erase_if(*problems, [](const HumanEvalProblem& problem) { return problem.overlaps; });
  if (settings.guard_problems > 0 && std::ssize(*problems) > settings.guard_problems) {
    problems->resize(static_cast<std::size_t>(settings.guard_problems));
  }
  if (problems->empty()) {
    return Error{"eval.guard_humaneval: " + settings.guard_humaneval + " has no problem outside the overlap"};
  }
  return problems;
}

Result<double> humaneval_share(RunContext& context) {
  const EvalSettings& settings = context.settings().eval;
  PLUMB_ASSIGN(const auto problems, guard_problems(settings));
  HumanEvalSampling sampling;
  sampling.max_new_tokens = settings.guard_tokens;
  sampling.ignores_interrupt = true;
  PLUMB_ASSIGN(const auto samples, sample_humaneval(context.bench(), problems, sampling));
  PLUMB_ASSIGN(const auto passed, judge_humaneval(context.judge(), problems, samples));
  return static_cast<double>(std::accumulate(passed.begin(), passed.end(), 0)) / static_cast<double>(problems.size());
}

Result<double> divergence_from_base(RunContext& context, const std::string& text) {
  const ModelSettings& model = context.settings().model;
  PLUMB_ASSIGN(auto source, open_model(model.path));
  PLUMB_ASSIGN(const auto base, Workbench::open(std::move(source), model, false));
  return text_divergence(base->policy(), context.bench().policy(), context.bench().tokenizer(), text);
}

}  // namespace

Result<void> check_guards(const EvalSettings& settings) {
  if (!settings.guard_text.empty()) {
    PLUMB_TRY(read_guard_text(settings.guard_text));
  }
  if (!settings.guard_humaneval.empty()) {
    PLUMB_TRY(guard_problems(settings));
  }
  return {};
}

Result<void> add_guards(RunContext& context, bool trained, MetricMap& metrics) {
  const EvalSettings& settings = context.settings().eval;
  if (!settings.guard_text.empty()) {
    PLUMB_ASSIGN(const std::string text, read_guard_text(settings.guard_text));
    PLUMB_ASSIGN(metrics["guard/perplexity"],
                 text_perplexity(context.bench().policy(), context.bench().tokenizer(), text));
    if (trained) {
      PLUMB_ASSIGN(metrics["guard/kl"], divergence_from_base(context, text));
    }
  }
  if (!settings.guard_humaneval.empty()) {
    PLUMB_ASSIGN(metrics["guard/humaneval"], humaneval_share(context));
  }
  return {};
}

}  // namespace plumb
