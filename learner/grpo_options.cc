#include "learner/grpo_options.h"

#include <algorithm>

namespace plumb {
namespace {

Result<void> check_divergence(const GrpoLearnerOptions& options, const SamplingFacts& sampling) {
  if (options.needs_reference() && !sampling.has_reference) {
    return Error{
        "grpo.kl: a divergence needs something to diverge from; set grpo.reference to fixed, refreshed or ema"};
  }
  if (!options.needs_reference() && sampling.has_reference) {
    return Error{
        "grpo.reference: a reference is kept (its weights take memory) and nothing diverges from it: grpo.kl = none, "
        "or "
        "grpo.kl_coefficient = 0; "
        "set grpo.kl, or grpo.reference = none"};
  }
  if (options.loss.kl != KlLoss::kNone && options.kl_reward_coefficient != 0) {
    return Error{"grpo.kl: a divergence in the reward and in the loss would count twice; choose one"};
  }
  return {};
}

Result<void> check_old_policy(const GrpoLearnerOptions& options) {
  const bool corrects = options.importance != Importance::kNone;
  if (options.old_policy == OldPolicy::kCoupled && corrects) {
    return Error{
        "grpo.importance: with grpo.old_policy = coupled the clipped ratio is already pi / mu; an importance "
        "factor would correct twice; set grpo.old_policy = decoupled, or grpo.importance = none"};
  }
  if (options.old_policy == OldPolicy::kDecoupled && !corrects) {
    return Error{
        "grpo.old_policy: decoupled clips pi / pi_prox, so stale tokens need grpo.importance (token_truncate, "
        "for example) to be corrected at all"};
  }
  return {};
}

Result<void> check_loss(const GrpoLearnerOptions& options, const SamplingFacts& sampling) {
  const GrpoLossOptions& loss = options.loss;
  if (loss.dual_clip != 0 && loss.dual_clip <= 1 + loss.clip_high) {
    return Error{"grpo.dual_clip: it bounds ratios beyond the ordinary clip, so it must be above 1 + grpo.clip_high"};
  }
  if (loss.dual_clip != 0 && loss.ratio == RatioKind::kCispo) {
    return Error{"grpo.dual_clip: CISPO bounds every ratio already; set grpo.dual_clip = 0"};
  }
  const bool bonus = loss.entropy_coefficient != 0 || options.entropy_target.target > 0;
  if (bonus && (sampling.truncated || sampling.temperature != 1)) {
    return Error{
        "grpo.entropy_coefficient: its gradient is taken at the sampled tokens, so they must be drawn from the "
        "policy itself: sampling.temperature = 1 and no top-k, top-p, min-p or typical-p"};
  }
  if (options.entropy_target.target > 0 && loss.entropy_coefficient > options.entropy_target.max) {
    return Error{
        "grpo.entropy_coefficient: with grpo.entropy_target it is where the coefficient starts, and must not be above "
        "grpo.entropy_max"};
  }
  if (options.zero_spread != ZeroSpread::kKeep && (bonus || loss.kl != KlLoss::kNone || options.router.any())) {
    return Error{
        "grpo.zero_spread: a group without spread still has a gradient from the divergence, entropy or routers in the "
        "loss, so it cannot be skipped; set grpo.zero_spread = keep"};
  }
  return {};
}

Result<void> check_groups(const GrpoLearnerOptions& options) {
  const bool whole_batch = options.advantage.kind == AdvantageKind::kReinforcePp;
  if (options.zero_spread == ZeroSpread::kRefill && whole_batch) {
    return Error{
        "grpo.zero_spread: refill replaces groups whose scores are equal, and with grpo.advantage = "
        "reinforce_pp those teach like any other; set skip_compute"};
  }
  if (options.zero_spread == ZeroSpread::kRefill && options.kl_reward_coefficient != 0) {
    return Error{
        "grpo.zero_spread: a group without spread still has a gradient from the divergence in its reward, so it cannot "
        "be replaced by others; set skip_compute or keep, or grpo.kl = none"};
  }
  if (options.zero_spread == ZeroSpread::kRefill && !options.count_contributing_only) {
    return Error{
        "grpo.denominator: refill draws groups to fill a batch of contributing ones; set grpo.denominator = "
        "contributing"};
  }
  if (options.overlong.zone > options.max_completion_tokens) {
    return Error{"grpo.overlong_zone: it is longer than a completion may be; lower it below sampling.max_new_tokens"};
  }
  return {};
}

Result<void> check_process(const GrpoLearnerOptions& options) {
  if (!options.process.on) {
    return {};
  }
  if (options.advantage.kind != AdvantageKind::kGroupStd && options.advantage.kind != AdvantageKind::kNoStd) {
    return Error{
        "grpo.advantage: with reward.process the scores of a group's steps are normalised by their own mean and "
        "standard deviation; set group_std, or no_std for the mean alone"};
  }
  if (options.loss.ratio == RatioKind::kSequence) {
    return Error{
        "grpo.ratio: sequence has one ratio for a whole completion, which would make of its tokens' advantages their "
        "mean; with reward.process set token or cispo"};
  }
  const bool in_outcome = options.kl_reward_coefficient != 0 || options.overlong.zone > 0;
  if (options.process.outcome_weight == 0 && in_outcome) {
    return Error{
        "reward.outcome_weight: grpo.kl = k1_reward and grpo.overlong_zone change the outcome's reward, and at weight "
        "0 that counts for nothing; raise it, or take them away"};
  }
  return {};
}

}  // namespace

Result<void> check_options(const GrpoLearnerOptions& options, const SamplingFacts& sampling) {
  PLUMB_TRY(check_divergence(options, sampling));
  PLUMB_TRY(check_old_policy(options));
  PLUMB_TRY(check_loss(options, sampling));
  PLUMB_TRY(check_process(options));
  return check_groups(options);
}

double overlong_penalty(std::int64_t tokens, const GrpoLearnerOptions& options) {
  const std::int64_t free = options.max_completion_tokens - options.overlong.zone;
  if (options.overlong.zone <= 0 || tokens <= free) {
    return 0;
  }
  const double depth = static_cast<double>(tokens - free) / static_cast<double>(options.overlong.zone);
  return -static_cast<double>(options.overlong.weight) * std::min(1.0, depth);
}

float next_entropy_coefficient(float coefficient, double entropy, const EntropyTarget& target) {
  if (target.target <= 0) {
    return coefficient;
  }
  const float step = entropy < static_cast<double>(target.target) ? target.step : -target.step;
  return std::clamp(coefficient + step, 0.0F, target.max);
}

}  // namespace plumb
