#include "apps/plumb/grpo_run.h"

#include <fmt/format.h>

#include <chrono>

#include "apps/plumb/grpo_scores.h"
#include "apps/plumb/interrupt.h"
#include "apps/plumb/rollout.h"
#include "apps/plumb/update_watch.h"
#include "core/escape.h"
#include "eval/report/run_data.h"
#include "reward/rules/score_parts.h"

namespace plumb {
namespace {

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

constexpr const char* kVisit = "train";  // of the journal of faults

ScorerOptions training_scorer_options(const RunContext& context) {
  ScorerOptions options = context.scorer_options(true, kVisit);
  options.reward = context.settings().reward;
  return options;
}

std::int64_t rows_sampled(std::span<const ScoredGroup> groups) {
  std::int64_t rows = 0;
  for (const ScoredGroup& group : groups) {
    rows += static_cast<std::int64_t>(group.group.prompt_token_ids.size());
    for (const Completion& completion : group.group.completions) {
      rows += static_cast<std::int64_t>(completion.token_ids.size());
    }
  }
  return rows;
}

}  // namespace

GrpoRun::GrpoRun(RunContext& context, GrpoRunParts parts)
    : context_(context),
      settings_(context.settings()),
      bench_(context.bench()),
      folder_(context.folder()),
      learning_(parts.learning),
      reference_(std::move(parts.reference)),
      reward_model_(std::move(parts.reward_model)),
      optimizer_(bench_.policy(), bench_.pool(), settings_.grpo.optimizer.options()),
      learner_(bench_.policy(), optimizer_, learning_, reference_ ? &reference_->policy() : nullptr),
      scorer_(context.judge(), training_scorer_options(context)),
      sampler_(std::move(parts.sampler)),
      dev_(std::move(parts.dev)),
      health_(learning_.advantage.kind == AdvantageKind::kReinforcePp),
      checkpoints_(optimizer_) {
  generation_ = generator_options(settings_);
  // Where the learner's logits are not those that a token was drawn from (weights moved, or an actor that is not
  // exact), bounds on logits do not name what was kept.
  generation_.sampling.kept_by_id = learning_.epochs * learning_.mini_batches > 1 ||
                                    settings_.grpo.schedule != RolloutSchedule::kSynchronous ||
                                    !bench_.policy().exact();
  // Without a baseline of the group's own a group need not be mixed to teach.
  if (learning_.advantage.kind != AdvantageKind::kReinforcePp) {
    spread_.emplace();
  }
  state_.sampler = sampler_.cursor();
  state_.entropy_coefficient = static_cast<double>(learner_.entropy_coefficient());
}

Result<void> GrpoRun::resume() {
  PLUMB_ASSIGN(auto loaded, load_newest_checkpoint(folder_.path(), parts(), &dev_.best()));
  if (!loaded) {
    return folder_.open_logs(ResumePoint{"grpo", 0}, 0);
  }
  state_ = std::move(*loaded);
  learner_.set_entropy_coefficient(static_cast<float>(state_.entropy_coefficient));
  learner_.set_skipped_in_a_row(state_.skipped_in_a_row);
  PLUMB_TRY(sampler_.restore(state_.sampler));
  if (state_.dev.is_object()) {
    PLUMB_TRY(dev_.restore(state_.dev));
  }
  PLUMB_TRY(remember_steps());
  return folder_.open_logs(ResumePoint{"grpo", state_.step}, state_.samples_bytes);
}

// Whoever watches goes on as if it had seen the steps before; what it said of these is said, and the start is past.
Result<void> GrpoRun::remember_steps() {
  PLUMB_ASSIGN(const std::vector<StepRow> rows, read_step_rows(folder_.file("metrics.jsonl")));
  for (const StepRow& row : rows) {
    if (row.stage == "grpo" && row.step <= state_.step) {
      spread_.reset();
      static_cast<void>(proxy_guard_.observe(row.values));
      static_cast<void>(health_.observe(row.step, row.values));
    }
  }
  return {};
}

Result<GrpoSummary> GrpoRun::run(std::int64_t last_step) {
  Progress progress("grpo", settings_.grpo.steps, progress_in("step"));
  progress.start_at(state_.step);
  bool stopped = false;
  if (state_.step < last_step) {
    PLUMB_TRY(open_source(last_step - state_.step));
  }
  while (state_.step < last_step && !stopped && !dev_.exhausted()) {
    PLUMB_ASSIGN(stopped, step(progress));
  }
  progress.finish();
  const bool done = state_.step == settings_.grpo.steps || dev_.exhausted();
  // Before the first step there is nothing to save.
  if ((stopped && state_.step > 0) || (settings_.grpo.checkpoint_every > 0 && done)) {
    PLUMB_TRY(checkpoint());
  }
  PLUMB_TRY(checkpoints_.wait());
  if (done && !stopped) {
    if (const std::int64_t step = dev_.restore_best(); step > 0) {
      progress.line(fmt::format("{}the weights of step {} were the best on {} and are the result",
                                dev_.exhausted() ? "stopped early: " : "", step, settings_.grpo.dev_split));
    }
  }
  return GrpoSummary{state_.step, state_.skipped_updates, stopped};
}

Result<void> GrpoRun::open_source(std::int64_t num_rollouts) {
  const RolloutSourceParts parts{.policy = bench_.policy(),
                                 .pool = bench_.pool(),
                                 .scorer = scorer_,
                                 .tokenizer = bench_.tokenizer(),
                                 .chat_template = bench_.chat_template(),
                                 .generation = generation_,
                                 .learner = learning_,
                                 .settings = settings_.grpo,
                                 .model = settings_.model,
                                 .run_folder = folder_.path(),
                                 .reward_model = reward_model_.get()};
  if (settings_.grpo.schedule == RolloutSchedule::kSynchronous) {
    PLUMB_ASSIGN(source_, synchronous_rollouts(parts, sampler_));
    return {};
  }
  PLUMB_ASSIGN(source_, overlapped_rollouts(parts, sampler_, num_rollouts));
  return {};
}

// One rollout and one update. True: the user stopped it, nothing of the step counts.
Result<bool> GrpoRun::step(Progress& progress) {
  const auto start = Clock::now();
  PLUMB_ASSIGN(StepRollout next, source_->next());
  Rollout& rollout = next.rollout;
  for (const std::string& note : next.notes) {
    progress.line("note: " + note);
  }
  if (rollout.stopped) {
    return true;
  }
  PLUMB_TRY(context_.judge_status());
  if (const std::string fault = fault_of_all(rollout.groups); !fault.empty()) {
    return stop_without_scores(fault);
  }
  // Only now: a step that is not made shall ask again when it is tried again.
  context_.faults().add_all(kVisit, rollout.groups, true);
  PLUMB_TRY(context_.judge_status());
  const MetricMap proxy = reward_model_ ? proxy_metrics(rollout.groups, settings_.reward) : MetricMap();
  MetricMap extra = step_metrics(rollout.groups);
  extra.insert(proxy.begin(), proxy.end());
  if (learning_.entropy_target.target > 0) {  // else it is the config's
    extra["entropy_coefficient"] = state_.entropy_coefficient;
  }
  const auto train_start = Clock::now();
  const GrpoStepStats stats = learn(rollout.groups);
  optimizer_.announce_change();  // without an update a reference and the best on dev may still change
  PLUMB_TRY(checkpoints_.outcome());
  const double stall_s = checkpoints_.take_stall_s();
  ++state_.step;
  state_.sampler = std::move(next.cursor);
  epoch_ = next.epoch;
  const StepTimes times{rollout.sample_s,
                        rollout.reward_s,
                        seconds_since(train_start) - stall_s,
                        last_checkpoint_s_ + stall_s,
                        seconds_since(start) + last_checkpoint_s_,
                        next.wait_s,
                        idle_.take()};
  if (const auto finite = check_finite(stats); !finite) {
    // With its line in the log the step can be done again, and looked at, by `plumb replay`.
    PLUMB_TRY(report(progress, rollout, stats, times, extra));
    PLUMB_TRY(save_samples(rollout.groups, num_saved(), rollout.groups.size(), stats));
    PLUMB_TRY(context_.sync_logs());
    return finite.error();
  }
  source_->learned();
  if (reference_) {
    reference_->after_step(state_.step, bench_.policy());
  }
  state_.entropy_coefficient = static_cast<double>(learner_.entropy_coefficient());
  state_.skipped_in_a_row = learner_.skipped_in_a_row();
  state_.skipped_updates += stats.updated ? 0 : 1;
  state_.num_tokens += rows_sampled(rollout.groups);
  last_checkpoint_s_ = 0;
  PLUMB_ASSIGN(const MetricMap dev, dev_.after_step(state_.step));
  extra.insert(dev.begin(), dev.end());
  // The step's lines come before the checkpoint that counts it, so that a resume finds them.
  PLUMB_TRY(report(progress, rollout, stats, times, extra));
  const bool due = settings_.grpo.checkpoint_every > 0 && state_.step % settings_.grpo.checkpoint_every == 0;
  if (due && state_.step < settings_.grpo.steps) {
    const auto checkpoint_start = Clock::now();
    PLUMB_TRY(checkpoint());
    last_checkpoint_s_ = seconds_since(checkpoint_start);
    static_cast<void>(checkpoints_.take_stall_s());  // its wait for the one before is in that already
  }
  PLUMB_TRY(watch_proxy(progress, proxy));
  return interrupted();
}

// Steps whose scores are all lost to a fault would use up the run and teach nothing.
Result<bool> GrpoRun::stop_without_scores(const std::string& fault) {
  PLUMB_TRY(checkpoint());
  PLUMB_TRY(checkpoints_.wait());
  return Error{fmt::format(
      "grpo: saved at step {} and stopped: no completion of step {} could be scored; the first: {}; mend that and go "
      "on with --resume",
      state_.step, state_.step + 1, strip_terminal(fault))};
}

// A gradient that is not finite though the loss is may be one odd batch: it is skipped, a few times in a row.
// Anything else that is not finite would come again on the same weights, so the run stops, with all of the step's
// samples kept.
Result<void> GrpoRun::check_finite(const GrpoStepStats& stats) const {
  if (stats.finite && !stats.gave_up) {
    return {};
  }
  const bool replays = settings_.grpo.schedule == RolloutSchedule::kSynchronous;
  return Error{fmt::format("grpo: {} at step {}; its completions are the last in {}; {}{}",
                           stats.finite ? too_many_skipped() : "a loss, reward or log-prob is not finite", state_.step,
                           folder_.file("samples.jsonl"),
                           advice_where_not_finite("grpo", optimizer_.num_updates() > 0, "rewards"),
                           replays ? " (plumb replay does the step again)" : "")};
}

// A run whose reward model no longer means the reward is stopped, and saved.
Result<void> GrpoRun::watch_proxy(Progress& progress, const MetricMap& proxy) {
  const ProxyWord word = proxy_guard_.observe(proxy);
  if (word.stop) {
    PLUMB_TRY(checkpoint());
    PLUMB_TRY(checkpoints_.wait());
    return Error{fmt::format("grpo: saved at step {} and stopped: {}", state_.step, word.text)};
  }
  if (!word.text.empty()) {
    progress.line("warning: " + word.text);
  }
  return {};
}

// A reference that stays is made of the weights that the stage starts with, again on a resume.
TrainedParts GrpoRun::parts() {
  const ReferenceKind kind = settings_.grpo.algorithm.reference.kind;
  const bool moves = kind == ReferenceKind::kRefreshed || kind == ReferenceKind::kEma;
  return {bench_, optimizer_, moves ? reference_.get() : nullptr, &dev_.best()};
}

// What an experiment's arm does to the rewards the learner sees alone: samples and metrics say what completions earned.
GrpoStepStats GrpoRun::learn(const std::vector<ScoredGroup>& groups) {
  const auto temperature = static_cast<float>(settings_.sampling.temperature);
  const bool as_they_are = settings_.grpo.reward_arm == RewardArm::kVerdict &&
                           settings_.reward.combine != PartCombination::kNormaliseThenSum;
  return as_they_are ? learner_.step(groups, state_.step, temperature)
                     : learner_.step(learned_from(settings_, groups), state_.step, temperature);
}

// Begins to write one.
Result<void> GrpoRun::checkpoint() {
  state_.samples_bytes = folder_.samples_bytes();
  state_.dev = dev_.state();
  PLUMB_TRY(context_.sync_logs());
  return checkpoints_.start(folder_.path(), state_, parts(), settings_.grpo.keep_checkpoints);
}

}  // namespace plumb
