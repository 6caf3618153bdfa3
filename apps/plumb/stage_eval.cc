#include "apps/plumb/stage_eval.h"

#include <fmt/format.h>

#include <chrono>

#include "apps/plumb/interrupt.h"
#include "apps/plumb/rollout.h"
#include "core/progress.h"
#include "eval/samples.h"

namespace plumb {
namespace {

ScorerOptions scorer_options(const Settings& settings) {
  ScorerOptions options;
  options.audit = settings.eval.audit;
  options.limits.cpu_s = settings.judge.cpu_s;
  options.limits.wall_s = settings.judge.wall_s;
  options.limits.memory_mib = settings.judge.memory_mib;
  return options;
}

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

Result<Evaluation> evaluate(const Settings& settings, Workbench& bench, RunFolder& folder, Judge& judge,
                            const EvalSet& set, const std::string& stage, double temperature) {
  const int samples = temperature == 0 ? 1 : settings.eval.samples;
  std::vector<PromptDraw> draws;
  for (const auto& prompt : set.prompts) {
    if (settings.eval.max_prompts > 0 && draws.size() >= static_cast<std::size_t>(settings.eval.max_prompts)) {
      break;
    }
    draws.push_back({prompt, 0});
  }
  GeneratorOptions options;
  options.purpose = RngPurpose::kEvaluation;
  options.seed = settings.run.seed;
  options.sampling.temperature = static_cast<float>(temperature);
  options.sampling.max_new_tokens = settings.sampling.max_new_tokens;
  options.max_batch = settings.sampling.max_batch;
  options.cache_bytes = settings.sampling.cache_mib << 20;

  Generator generator(bench.policy(), bench.tokenizer(), bench.pool());
  Scorer scorer(judge, scorer_options(settings));
  const auto start = std::chrono::steady_clock::now();
  Progress progress(fmt::format("eval {} {} T={:g}", stage, set.name, temperature),
                    static_cast<std::int64_t>(draws.size()) * samples, progress_in("sample"));
  const RolloutParts parts{generator, scorer, bench.tokenizer(), bench.chat_template()};
  PLUMB_ASSIGN(const Rollout rollout, run_rollout(parts, draws, samples, options, [&](const GenerationProgress& done) {
                 progress.update(done.finished);
               }));
  if (rollout.stopped) {
    return Error{"eval: stopped by the user before it was complete; nothing was saved of it"};
  }
  Evaluation evaluation;
  evaluation.stage = stage;
  evaluation.set = set.name;
  evaluation.temperature = temperature;
  evaluation.audited = settings.eval.audit;
  evaluation.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  for (const ScoredGroup& group : rollout.groups) {
    evaluation.prompts.push_back(prompt_result(group));
  }
  progress.finish(fmt::format("{:.3f} pass", average_success(evaluation, samples)));
  PLUMB_TRY(save_samples(folder, rollout.groups, evaluation));
  PLUMB_TRY(save_evaluation(folder.path(), evaluation));
  return evaluation;
}

}  // namespace

Result<std::vector<Evaluation>> run_eval_stage(const Settings& settings, Workbench& bench, RunFolder& folder,
                                               Judge& judge, const EvalSet& set, const std::string& stage) {
  std::vector<double> temperatures = settings.eval.temperatures;
  if (settings.eval.greedy) {
    temperatures.insert(temperatures.begin(), 0.0);
  }
  std::vector<Evaluation> evaluations;
  for (const double temperature : temperatures) {
    PLUMB_ASSIGN(auto evaluation, evaluate(settings, bench, folder, judge, set, stage, temperature));
    evaluations.push_back(std::move(evaluation));
  }
  return evaluations;
}

std::string evaluation_table(std::span<const Evaluation> evaluations) {
  std::string table = fmt::format("{:<6} {:<6} {:>5}  {:>8} {:>8} {:>8}  {:>9} {:>5}\n", "stage", "set", "T", "python",
                                  "C++", "all", "truncated", "n");
  for (const Evaluation& evaluation : evaluations) {
    const int n = samples_per_prompt(evaluation);
    const auto percent = [&](Selection selection) {
      return fmt::format("{:.1f}", 100 * average_success(evaluation, n, selection));
    };
    table += fmt::format("{:<6} {:<6} {:>5g}  {:>8} {:>8} {:>8}  {:>8.1f}% {:>5}\n", evaluation.stage, evaluation.set,
                         evaluation.temperature, percent({Language::kPython}), percent({Language::kCpp}), percent({}),
                         100 * share_truncated(evaluation), n);
  }
  return table;
}

}  // namespace plumb
