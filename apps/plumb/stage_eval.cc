#include "apps/plumb/stage_eval.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>

#include "apps/plumb/guards.h"
#include "apps/plumb/interrupt.h"
#include "apps/plumb/reward_model_signal.h"
#include "apps/plumb/rollout.h"
#include "apps/plumb/unfinished_evaluation.h"
#include "core/escape.h"
#include "core/progress.h"
#include "eval/samples.h"

namespace plumb {
namespace {

Result<void> save_samples(RunFolder& folder, std::span<const ScoredGroup> groups, const Evaluation& evaluation) {
  for (const ScoredGroup& group : groups) {
    for (std::size_t i = 0; i < group.scores.size(); ++i) {
      SampleRecord record = sample_record(group, i);
      record.stage = evaluation.stage;
      record.kind = "eval";
      record.set = evaluation.set;
      record.temperature = evaluation.temperature;
      PLUMB_TRY(folder.add_sample(to_json(record)));
    }
  }
  return {};
}

std::vector<PromptDraw> draws_of(const std::vector<std::shared_ptr<const PromptRecord>>& prompts,
                                 const EvalSettings& settings) {
  std::vector<PromptDraw> draws;
  int maths = 0;
  for (const auto& prompt : prompts) {
    maths += prompt->domain == Domain::kMath ? 1 : 0;
    if (prompt->domain == Domain::kMath && settings.max_math > 0 && maths > settings.max_math) {
      continue;
    }
    if (settings.max_prompts > 0 && draws.size() >= static_cast<std::size_t>(settings.max_prompts)) {
      break;
    }
    draws.push_back({prompt, 0});
  }
  return draws;
}

GeneratorOptions eval_options(const Settings& settings, double temperature) {
  GeneratorOptions options = generator_options(settings);
  options.purpose = RngPurpose::kEvaluation;
  options.sampling.temperature = static_cast<float>(temperature);
  return options;
}

std::string visit_of(const EvalStage& stage) {
  return fmt::format("eval {} {}", stage.name, stage.step);
}

Result<Evaluation> evaluate(RunContext& context, const EvalSet& set, const EvalStage& stage, double temperature,
                            const MetricMap& guards) {
  const Settings& settings = context.settings();
  const int samples = temperature == 0 ? 1 : settings.eval.samples;
  EvalSet chosen = set;
  std::erase_if(chosen.prompts, [draws = draws_of(set.prompts, settings.eval)](const auto& prompt) {
    return std::ranges::none_of(draws, [&](const PromptDraw& draw) { return draw.prompt == prompt; });
  });
  PLUMB_ASSIGN(EvalOutcome outcome, evaluate_once(context, {.set = std::move(chosen),
                                                            .stage = stage.name,
                                                            .visit = visit_of(stage),
                                                            .temperature = temperature,
                                                            .samples = samples}));
  Evaluation& evaluation = outcome.evaluation;
  const std::string lost = lost_words(outcome);
  if (share_unscored(evaluation) > 0.5) {
    // Nothing is remembered of it: a resume asks again.
    return Error{fmt::format("eval of {}: {}; mend that and go on with --resume", set.name, lost)};
  }
  remember_faults(context, outcome);
  PLUMB_TRY(context.judge_status());
  if (!lost.empty()) {
    std::fprintf(stderr, "plumb: warning: eval of %s: %s; the shares are of the others\n", set.name.c_str(),
                 lost.c_str());
  }
  if (reranks(settings) && samples > 1) {
    PLUMB_ASSIGN(const auto model, RewardModelSignal::open(settings.reward, settings.model, context.bench()));
    const std::vector<int> best = model->best_of(outcome.groups);
    for (std::size_t i = 0; i < best.size(); ++i) {
      evaluation.prompts[i].reranked = best[i];
    }
  }
  PLUMB_TRY(begin_evaluation(context.folder().path(), evaluation));
  PLUMB_TRY(save_samples(context.folder(), outcome.groups, evaluation));
  MetricMap metrics = evaluation_metrics(evaluation);
  metrics.insert(guards.begin(), guards.end());
  PLUMB_TRY(context.folder().log(stage.name, stage.step, metrics, {{"timing_s/eval", evaluation.seconds}}));
  PLUMB_TRY(save_evaluation(context.folder().path(), evaluation));
  finish_evaluation(context.folder().path());
  return evaluation;
}

}  // namespace

bool reranks(const Settings& settings) {
  return !settings.reward.reward_model.empty() && settings.eval.samples > 1 && !settings.eval.temperatures.empty();
}

Result<EvalOutcome> evaluate_once(RunContext& context, const EvalLoad& load) {
  const Settings& settings = context.settings();
  Workbench& bench = context.bench();
  std::vector<PromptDraw> draws;
  for (const auto& prompt : load.set.prompts) {
    draws.push_back({prompt, 0});
  }
  Generator generator(bench.policy(), bench.tokenizer(), bench.pool());
  const std::string visit = fmt::format("{} {} {:g}", load.visit, load.set.name, load.temperature);
  Scorer scorer(context.judge(), context.scorer_options(settings.eval.audit, visit));
  const auto start = std::chrono::steady_clock::now();
  Progress progress(fmt::format("eval {} {} T={:g}", load.stage, load.set.name, load.temperature),
                    static_cast<std::int64_t>(draws.size()) * load.samples, progress_in("sample"));
  RolloutParts parts{generator, scorer, bench.tokenizer(), bench.chat_template()};
  parts.ignores_interrupt = load.ignores_interrupt;
  PLUMB_ASSIGN(Rollout rollout, run_rollout(parts, draws, load.samples, eval_options(settings, load.temperature),
                                            [&](const GenerationProgress& done) { progress.update(done.finished); }));
  if (rollout.stopped) {
    return Error{
        "eval: stopped by the user before it was complete; nothing of it was saved, and --resume does it again"};
  }
  PLUMB_TRY(context.judge_status());
  EvalOutcome outcome;
  outcome.visit = visit;
  Evaluation& evaluation = outcome.evaluation;
  evaluation.stage = load.stage;
  evaluation.set = load.set.name;
  evaluation.temperature = load.temperature;
  evaluation.audited = settings.eval.audit;
  evaluation.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  for (const ScoredGroup& group : rollout.groups) {
    evaluation.prompts.push_back(prompt_result(group));
  }
  progress.finish(fmt::format("{:.3f} pass", average_success(evaluation, load.samples)));
  outcome.groups = std::move(rollout.groups);
  return outcome;
}

void remember_faults(RunContext& context, const EvalOutcome& outcome) {
  context.faults().add_all(outcome.visit, outcome.groups, context.settings().eval.audit);
}

std::string lost_words(const EvalOutcome& outcome) {
  std::int64_t all = 0;
  std::int64_t lost = 0;
  std::string first;
  for (const ScoredGroup& group : outcome.groups) {
    for (const Score& score : group.scores) {
      ++all;
      lost += score.unscored ? 1 : 0;
      first = first.empty() && score.unscored ? *score.unscored : first;
    }
  }
  return lost == 0 ? std::string()
                   : fmt::format("{} of {} completions could not be judged (the first: {})", lost, all,
                                 strip_terminal(first));
}

Result<void> check_eval_stage(RunContext& context, std::span<const EvalSet> sets) {
  const Settings& settings = context.settings();
  Workbench& bench = context.bench();
  for (const EvalSet& set : sets) {
    Prompts prompts;
    for (const PromptDraw& draw : draws_of(set.prompts, settings.eval)) {
      prompts.push_back(draw.prompt);
    }
    PLUMB_TRY(
        check_prompts(prompts, bench.tokenizer(), bench.chat_template(), generator_options(settings), bench.policy()));
  }
  if (!reranks(settings)) {
    return {};
  }
  const auto model = RewardModelSignal::open(settings.reward, settings.model, bench);
  return model ? Result<void>() : model.error();
}

std::vector<EvalSet> eval_sets(const RunContext& context, std::span<const std::string> splits) {
  std::vector<EvalSet> sets;
  for (const std::string& split : splits) {
    sets.push_back({split, context.prompts({split})});
  }
  return sets;
}

Result<std::vector<Evaluation>> run_eval_stage(RunContext& context, std::span<const EvalSet> sets,
                                               const EvalStage& stage) {
  std::vector<double> temperatures = context.settings().eval.temperatures;
  if (context.settings().eval.greedy) {
    temperatures.insert(temperatures.begin(), 0.0);
  }
  for (const EvalSet& set : sets) {
    if (draws_of(set.prompts, context.settings().eval).empty()) {
      return Error{
          fmt::format("eval: no prompt of data.tasks is in the set '{}' (eval.splits), with data.languages and something to judge it "
                      "by (an answer, tests, or reward.custom_role = \"verdict\")",
                      set.name)};
    }
  }
  std::vector<Evaluation> saved;
  if (context.resume()) {
    PLUMB_ASSIGN(saved, load_evaluations(context.folder().path()));
  }
  std::vector<Evaluation> evaluations;
  for (const EvalSet& set : sets) {
    for (const double temperature : temperatures) {
      const auto found = std::ranges::find_if(saved, [&](const Evaluation& one) {
        return one.stage == stage.name && one.set == set.name && one.temperature == temperature;
      });
      if (found != saved.end()) {
        evaluations.push_back(*found);
        continue;
      }
      MetricMap guards;  // of these weights, whatever the set and the temperature
      if (evaluations.empty()) {
        PLUMB_TRY(add_guards(context, visit_of(stage), stage.trained, guards));
      }
      PLUMB_ASSIGN(auto evaluation, evaluate(context, set, stage, temperature, guards));
      evaluations.push_back(std::move(evaluation));
    }
  }
  return evaluations;
}

std::int64_t num_eval_samples(const Settings& settings,
                              const std::vector<std::shared_ptr<const PromptRecord>>& prompts) {
  const auto sampled = static_cast<std::int64_t>(settings.eval.temperatures.size()) * settings.eval.samples;
  const auto num_prompts = static_cast<std::int64_t>(draws_of(prompts, settings.eval).size());
  return num_prompts * (sampled + (settings.eval.greedy ? 1 : 0));
}

std::string evaluation_table(std::span<const Evaluation> evaluations) {
  std::string table = fmt::format("{:<6} {:<6} {:>5}  {:>8} {:>8} {:>8}  {:>9}  {:>7} {:>7}\n", "stage", "set", "T",
                                  "python", "C++", "maths", "truncated", "prompts", "samples");
  for (const Evaluation& evaluation : evaluations) {
    const int n = samples_per_prompt(evaluation);
    const auto percent = [&](Selection selection) {
      const double share = average_success(evaluation, n, selection);
      return std::isnan(share) ? "-" : fmt::format("{:.1f}", 100 * share);
    };
    table +=
        fmt::format("{:<6} {:<6} {:>5g}  {:>8} {:>8} {:>8}  {:>8.1f}%  {:>7} {:>7}\n", evaluation.stage, evaluation.set,
                    evaluation.temperature, percent({Language::kPython}), percent({Language::kCpp}),
                    percent({Language::kNone}), 100 * share_truncated(evaluation), evaluation.prompts.size(), n);
  }
  return table;
}

}  // namespace plumb
