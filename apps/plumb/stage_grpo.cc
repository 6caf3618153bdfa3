#include "apps/plumb/stage_grpo.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "apps/plumb/checkpoint.h"
#include "apps/plumb/grpo_metrics.h"
#include "apps/plumb/interrupt.h"
#include "apps/plumb/rollout.h"
#include "apps/plumb/roof.h"
#include "apps/plumb/spread_gate.h"
#include "core/progress.h"
#include "core/rng.h"
#include "datasets/sampler.h"
#include "eval/health.h"
#include "eval/samples.h"
#include "learner/grpo.h"
#include "reward/rules/normalise_parts.h"
#include "reward/rules/score_parts.h"

namespace plumb {
namespace {

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

OptimizerOptions optimizer_options(const GrpoSettings& grpo) {
  OptimizerOptions options;
  options.beta1 = static_cast<float>(grpo.beta1);
  options.beta2 = static_cast<float>(grpo.beta2);
  options.weight_decay = static_cast<float>(grpo.weight_decay);
  options.max_grad_norm = static_cast<float>(grpo.max_grad_norm);
  return options;
}

GrpoLearnerOptions learner_options(const GrpoSettings& grpo) {
  GrpoLearnerOptions options;
  options.advantage.scale_by_std = grpo.scale_by_std;
  options.advantage.std_epsilon = static_cast<float>(grpo.std_epsilon);
  options.advantage.min_spread = static_cast<float>(grpo.min_spread);
  options.loss.clip_low = static_cast<float>(grpo.clip_low);
  options.loss.clip_high = static_cast<float>(grpo.clip_high);
  options.schedule.peak = static_cast<float>(grpo.learning_rate);
  options.schedule.warmup_steps = grpo.warmup_steps;
  options.schedule.total_steps = grpo.steps;
  options.schedule.decay = grpo.decay;
  options.micro_batch_tokens = grpo.micro_batch_tokens;
  return options;
}

ScorerOptions training_scorer_options(const RunContext& context) {
  ScorerOptions options = context.scorer_options(true);
  options.reward = context.settings().reward;
  return options;
}

// The controls: the same verdicts, but permuted among a group's completions, or with the sign turned.
void apply_reward_arm(RewardArm arm, std::uint64_t seed, std::vector<ScoredGroup>& groups) {
  for (ScoredGroup& group : groups) {
    if (arm == RewardArm::kPermuted) {
      shuffle(group.scores, RngStream(RngPurpose::kData, seed, stable_hash(group.group.prompt->id), group.group.draw));
    }
    for (Score& score : group.scores) {
      score.total = arm == RewardArm::kNegated ? -score.total : score.total;
    }
  }
}

// The groups with each part normalised by itself; what is reported keeps the scores as they were given.
std::vector<ScoredGroup> normalised(const Settings& settings, std::vector<ScoredGroup> groups) {
  for (ScoredGroup& group : groups) {
    normalise_parts(group, settings.grpo.std_epsilon);
    for (Score& score : group.scores) {
      score.total = settings.grpo.reward_arm == RewardArm::kNegated ? -score.total : score.total;
    }
  }
  return groups;
}

std::int64_t rows_trained(std::span<const ScoredGroup> groups) {
  std::int64_t rows = 0;
  for (const ScoredGroup& group : groups) {
    rows += static_cast<std::int64_t>(group.group.prompt_token_ids.size());
    for (const Completion& completion : group.group.completions) {
      rows += static_cast<std::int64_t>(completion.token_ids.size());
    }
  }
  return rows;
}

// Unscored completions are no trials.
void observe_spread(std::span<const ScoredGroup> groups, PromptSampler& sampler) {
  for (const ScoredGroup& group : groups) {
    double successes = 0;
    double trials = 0;
    for (const Score& score : group.scores) {
      trials += score.unscored ? 0 : 1;
      successes += is_solved(score) ? 1 : 0;
    }
    sampler.observe(group.group.prompt->id, successes, trials);
  }
}

class GrpoRun {
 public:
  GrpoRun(RunContext& context, PromptSampler sampler)
      : context_(context),
        settings_(context.settings()),
        bench_(context.bench()),
        folder_(context.folder()),
        optimizer_(bench_.policy(), bench_.pool(), optimizer_options(settings_.grpo)),
        learner_(bench_.policy(), optimizer_, learner_options(settings_.grpo)),
        generator_(bench_.policy(), bench_.tokenizer(), bench_.pool()),
        scorer_(context.judge(), training_scorer_options(context)),
        sampler_(std::move(sampler)) {
    generation_ = generator_options(settings_);
  }

  Result<void> resume() {
    const auto checkpoint = newest_checkpoint(folder_.path());
    if (!checkpoint) {
      return folder_.open_logs(ResumePoint{"grpo", 0});
    }
    PLUMB_ASSIGN(state_, load_checkpoint(*checkpoint, bench_, optimizer_));
    PLUMB_TRY(sampler_.restore(state_.sampler));
    return folder_.open_logs(ResumePoint{"grpo", state_.step}, state_.samples_bytes);
  }

  Result<GrpoSummary> run() {
    Progress progress("grpo", settings_.grpo.steps, progress_in("step"));
    bool stopped = false;
    while (state_.step < settings_.grpo.steps && !stopped) {
      PLUMB_ASSIGN(stopped, step(progress));
    }
    progress.finish();
    if (stopped || settings_.grpo.checkpoint_every > 0) {
      PLUMB_TRY(checkpoint());
    }
    return GrpoSummary{state_.step, state_.skipped_updates, stopped};
  }

 private:
  // One rollout and one update. True: the user stopped it, nothing of the step counts.
  Result<bool> step(Progress& progress) {
    const auto start = Clock::now();
    const nlohmann::json cursor = sampler_.cursor();
    const std::vector<PromptDraw> draws =
        sampler_.next_batch(static_cast<std::size_t>(settings_.grpo.prompts_per_step),
                            static_cast<std::size_t>(settings_.grpo.min_code_prompts));
    const RolloutParts parts{generator_, scorer_, bench_.tokenizer(), bench_.chat_template()};
    PLUMB_ASSIGN(Rollout rollout, run_rollout(parts, draws, settings_.grpo.group_size, generation_));
    if (rollout.stopped) {
      PLUMB_TRY(sampler_.restore(cursor));
      return true;
    }
    PLUMB_TRY(context_.judge_status());
    observe_spread(rollout.groups, sampler_);
    apply_reward_arm(settings_.grpo.reward_arm, settings_.run.seed, rollout.groups);
    const auto train_start = Clock::now();
    const GrpoStepStats stats = learn(rollout.groups);
    ++state_.step;
    state_.skipped_updates += stats.updated ? 0 : 1;
    state_.num_tokens += rows_trained(rollout.groups);
    const StepTimes times{rollout.sample_s, rollout.reward_s, seconds_since(train_start), last_checkpoint_s_,
                          seconds_since(start) + last_checkpoint_s_};
    last_checkpoint_s_ = 0;
    // The step's lines come before the checkpoint that counts it, so that a resume finds them.
    PLUMB_TRY(report(progress, rollout, stats, times));
    const bool due = settings_.grpo.checkpoint_every > 0 && state_.step % settings_.grpo.checkpoint_every == 0;
    if (due && state_.step < settings_.grpo.steps) {
      const auto checkpoint_start = Clock::now();
      PLUMB_TRY(checkpoint());
      last_checkpoint_s_ = seconds_since(checkpoint_start);
    }
    return interrupted();
  }

  GrpoStepStats learn(const std::vector<ScoredGroup>& groups) {
    const auto temperature = static_cast<float>(settings_.sampling.temperature);
    return settings_.reward.combine == PartCombination::kNormaliseThenSum
               ? learner_.step(normalised(settings_, groups), state_.step, temperature)
               : learner_.step(groups, state_.step, temperature);
  }

  Result<void> report(Progress& progress, const Rollout& rollout, const GrpoStepStats& stats, const StepTimes& times) {
    const MetricMap metrics = grpo_metrics(rollout.groups, stats, state_.num_tokens, sampler_.epoch());
    const RoofShare share{forward_flop_per_token(context_.shape()), context_.roof_gflops()};
    PLUMB_TRY(folder_.log("grpo", state_.step, metrics, grpo_timings(times, rollout, stats.trained_tokens, share)));
    PLUMB_TRY(save_samples(rollout.groups));
    progress.line(step_line(state_.step, settings_.grpo.steps, metrics, times));
    for (const HealthMessage& message : health_.observe(state_.step, metrics)) {
      progress.line((message.warning ? "warning: " : "note: ") + message.text);
    }
    if (const auto verdict = spread_.observe(rollout.groups)) {
      progress.line(*verdict);
    }
    progress.update(state_.step);
    return {};
  }

  Result<void> save_samples(std::span<const ScoredGroup> groups) {
    const auto count = std::min<std::size_t>(static_cast<std::size_t>(settings_.grpo.saved_groups), groups.size());
    for (const ScoredGroup& group : groups.first(count)) {
      for (std::size_t i = 0; i < group.scores.size(); ++i) {
        SampleRecord record = sample_record(group, i);
        record.stage = "grpo";
        record.kind = "train";
        record.step = state_.step;
        record.temperature = settings_.sampling.temperature;
        PLUMB_TRY(folder_.add_sample(to_json(record)));
      }
    }
    return {};
  }

  Result<void> checkpoint() {
    state_.sampler = sampler_.cursor();
    state_.samples_bytes = folder_.samples_bytes();
    PLUMB_TRY(folder_.sync_logs());
    return save_checkpoint(folder_.path(), state_, bench_, optimizer_, settings_.grpo.keep_checkpoints);
  }

  RunContext& context_;
  const Settings& settings_;
  Workbench& bench_;
  RunFolder& folder_;
  Optimizer optimizer_;
  GrpoLearner learner_;
  Generator generator_;
  Scorer scorer_;
  PromptSampler sampler_;
  GeneratorOptions generation_;
  HealthMonitor health_;
  SpreadGate spread_;
  TrainerState state_;
  double last_checkpoint_s_ = 0;  // counted to the step that comes after it
};

}  // namespace

Result<GrpoSummary> run_grpo_stage(RunContext& context, const Prompts& prompts, bool resume) {
  if (prompts.empty()) {
    return Error{"grpo: no prompts to train on: no row of data.tasks is in data.train_splits with data.languages"};
  }
  PLUMB_TRY(check_trainable(generator_options(context.settings()).sampling));
  std::vector<PromptRecord> records;
  for (const auto& prompt : prompts) {
    records.push_back(*prompt);
  }
  PLUMB_ASSIGN(PromptSampler sampler, PromptSampler::create(std::move(records), context.settings().run.seed,
                                                            context.settings().grpo.prompt_order));
  GrpoRun run(context, std::move(sampler));
  if (resume) {
    PLUMB_TRY(run.resume());
  }
  return run.run();
}

}  // namespace plumb
