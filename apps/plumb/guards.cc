#include "apps/plumb/guards.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "apps/plumb/humaneval_scores.h"
#include "apps/plumb/rollout.h"
#include "apps/plumb/text_guard.h"
#include "core/escape.h"

namespace plumb {
namespace {

Result<std::vector<HumanEvalProblem>> guard_problems(const EvalSettings& settings) {
  auto problems = load_humaneval(settings.guard_humaneval, settings.guard_overlap);
  if (!problems) {
    return problems.error().with_context("eval.guard_humaneval, eval.guard_overlap");
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

// judge_humaneval() with the faults that a run had when it judged these, whatever the judge would say now.
std::vector<Evidence> judge_as_then(RunContext& context, const std::string& visit,
                                    const std::vector<HumanEvalProblem>& problems,
                                    const std::vector<HumanEvalSample>& samples) {
  std::vector<Evidence> all = judge_humaneval(context.judge(), problems, samples);
  // Where nothing was judged the run stops, and shall ask again when it goes on.
  const bool counts = std::ranges::any_of(all, [](const Evidence& each) { return each.verdict != Verdict::kSE; });
  for (std::size_t i = 0; i < all.size(); ++i) {
    const FaultPlace place{visit, problems[samples[i].problem].task_id, 0, i, samples[i].completion};
    if (const auto known = context.faults().find(place)) {
      all[i].verdict = Verdict::kSE;
      all[i].fault = known->unscored;
    } else if (counts && all[i].verdict == Verdict::kSE) {
      context.faults().add(place, {all[i].fault});
    }
  }
  return all;
}

Result<double> humaneval_share(RunContext& context, const std::string& visit) {
  const EvalSettings& settings = context.settings().eval;
  const std::vector<HumanEvalProblem>& problems = context.guard_problems();
  HumanEvalSampling sampling;
  sampling.max_new_tokens = settings.guard_tokens;
  sampling.ignores_interrupt = true;
  PLUMB_ASSIGN(const auto samples, sample_humaneval(context.bench(), problems, sampling));
  int judged = 0;
  int passed = 0;
  std::string fault;
  for (const Evidence& evidence : judge_as_then(context, visit + " humaneval", problems, samples)) {
    const bool faulty = evidence.verdict == Verdict::kSE;
    fault = faulty ? evidence.fault : fault;
    judged += faulty ? 0 : 1;
    passed += evidence.verdict == Verdict::kAC ? 1 : 0;
  }
  PLUMB_TRY(context.judge_status());
  if (judged == 0) {
    return Error{"eval.guard_humaneval: no problem could be judged: " + fault};
  }
  if (!fault.empty()) {
    std::fprintf(stderr, "plumb: guard/humaneval is of %d of %zu problems; a fault of the others: %s\n", judged,
                 problems.size(), strip_terminal(fault).c_str());
  }
  return static_cast<double>(passed) / judged;
}

Result<double> divergence_from_base(RunContext& context, const std::string& text) {
  const ModelSettings& model = context.settings().model;
  PLUMB_ASSIGN(auto source, open_model(model.path));
  PLUMB_ASSIGN(const auto base, Workbench::open(std::move(source), model, false));
  return text_divergence(base->policy(), context.bench().policy(), context.bench().tokenizer(), text);
}

}  // namespace

Result<std::vector<HumanEvalProblem>> read_guards(const EvalSettings& settings) {
  if (!settings.guard_text.empty()) {
    PLUMB_TRY(read_guard_text(settings.guard_text));
  }
  return settings.guard_humaneval.empty() ? std::vector<HumanEvalProblem>() : guard_problems(settings);
}

std::vector<std::string> guard_files(const EvalSettings& settings) {
  std::vector<std::string> files;
  for (const std::string* file : {&settings.guard_text, &settings.guard_humaneval}) {
    if (!file->empty()) {
      files.push_back(*file);
    }
  }
  if (!settings.guard_humaneval.empty() && !settings.guard_overlap.empty()) {
    files.push_back(settings.guard_overlap);
  }
  return files;
}

Result<void> check_guard_lengths(const std::vector<HumanEvalProblem>& problems, const EvalSettings& settings,
                                 Workbench& bench) {
  const std::int64_t context = bench.policy().config().max_positions;
  for (const HumanEvalProblem& problem : problems) {
    PLUMB_ASSIGN(const auto ids, prompt_token_ids(humaneval_prompt(problem), bench.tokenizer(), bench.chat_template()));
    if (std::ssize(ids) + settings.guard_tokens > context) {
      return Error{
          fmt::format("eval.guard_tokens: the prompt of {} has {} tokens; with {} more it exceeds the model's context "
                      "of {}; lower it",
                      problem.task_id, ids.size(), settings.guard_tokens, context)};
    }
  }
  return {};
}

Result<void> add_guards(RunContext& context, const std::string& visit, bool trained, MetricMap& metrics) {
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
    PLUMB_ASSIGN(metrics["guard/humaneval"], humaneval_share(context, visit));
  }
  return {};
}

}  // namespace plumb
