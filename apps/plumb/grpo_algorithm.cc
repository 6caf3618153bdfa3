#include "apps/plumb/grpo_algorithm.h"

#include <fmt/format.h>

#include <utility>

#include "apps/plumb/router_settings.h"
#include "apps/plumb/settings.h"

namespace plumb {
namespace {

void describe_loss(GrpoAlgorithm& a, ConfigSection& section) {
  section.choice("ratio", a.ratio,
                 {{"token", RatioKind::kToken}, {"sequence", RatioKind::kSequence}, {"cispo", RatioKind::kCispo}},
                 {.help = "pi / pi_old of each token, of the whole completion (GSPO; clips 3e-4, 4e-4), or capped and "
                          "detached (CISPO)"});
  section.field(
      "dual_clip", a.dual_clip,
      {.help = "bounds the objective at this ratio where the advantage is negative; 0 = none", .min = 0, .max = 1e6});
  section.choice("aggregation", a.aggregation,
                 {{"token_mean", Aggregation::kTokenMean},
                  {"sample_mean", Aggregation::kSampleMean},
                  {"constant_length", Aggregation::kConstantLength},
                  {"sequence_sum", Aggregation::kSequenceSum}},
                 {.help = "of token losses: over all tokens (DAPO), within completions first (GRPO), by "
                          "sampling.max_new_tokens (Dr. GRPO), or summed within completions"});
  section.choice("denominator", a.count_contributing_only, {{"all", false}, {"contributing", true}},
                 {.help = "which completions it counts: all scored ones, or those of groups with advantages"});
  section.choice(
      "zero_spread", a.zero_spread,
      {{"keep", ZeroSpread::kKeep}, {"skip_compute", ZeroSpread::kSkipCompute}, {"refill", ZeroSpread::kRefill}},
      {.help = "groups of equal scores: computed, not where they have no gradient, or replaced by others (dynamic "
               "sampling)"});
  section.field("refill_rounds", a.refill_rounds,
                {.help = "further draws at most, with zero_spread = refill", .min = 1, .max = 1000});
  section.field("entropy_coefficient", a.entropy_coefficient, {.help = "of the entropy bonus", .min = 0, .max = 100});
  section.field("entropy_target", a.entropy_target.target,
                {.help = "the coefficient follows it; 0 = none", .unit = "nats", .min = 0, .max = 100});
  section.field("entropy_step", a.entropy_target.step, {.help = "of the coefficient, each step", .min = 0, .max = 1});
  section.field("entropy_max", a.entropy_target.max, {.help = "the coefficient's limit", .min = 0, .max = 100});
  describe_router_loss(section, a.router);
  section.field("high_entropy_share", a.high_entropy_share,
                {.help = "the policy term is on this share of tokens, of highest entropy", .min = 0.001, .max = 1});
  section.choice("overlong", a.filter_overlong, {{"train", false}, {"filter", true}},
                 {.help = "truncated completions: trained on, or out of the loss (not out of the baseline)"});
  section.field("overlong_zone", a.overlong.zone,
                {.help = "length penalty over the last so many; 0 = none", .unit = "tokens", .min = 0, .max = 1 << 20});
  section.field("overlong_weight", a.overlong.weight, {.help = "of that penalty at the limit", .min = 0, .max = 1e6});
}

void describe_policies(GrpoAlgorithm& a, ConfigSection& section) {
  section.choice("kl", a.kl,
                 {{"none", KlTerm::kNone},
                  {"k1_reward", KlTerm::kK1Reward},
                  {"k1_loss", KlTerm::kK1Loss},
                  {"k2", KlTerm::kK2},
                  {"k3", KlTerm::kK3},
                  {"unbiased", KlTerm::kUnbiased}},
                 {.help = "divergence from the reference: in the reward, or in the loss by an estimator"});
  section.field("kl_coefficient", a.kl_coefficient, {.help = "beta of that divergence", .min = 0, .max = 1e3});
  section.choice(
      "reference", a.reference.kind,
      {{"none", ReferenceKind::kNone},
       {"fixed", ReferenceKind::kFixed},
       {"refreshed", ReferenceKind::kRefreshed},
       {"ema", ReferenceKind::kEma}},
      {.help = "the weights at the start, replaced every reference_every steps, or moved towards the policy"});
  section.field("reference_every", a.reference.every, {.help = "see above", .unit = "steps", .min = 1, .max = 1e9});
  section.field("reference_rate", a.reference.rate, {.help = "of ema, each time", .min = 0, .max = 1});
  section.choice("old_policy", a.old_policy, {{"coupled", OldPolicy::kCoupled}, {"decoupled", OldPolicy::kDecoupled}},
                 {.help = "the ratio is against the actor's log-probs, or against the weights at the update's start"});
  section.choice("importance", a.importance,
                 {{"none", Importance::kNone},
                  {"token_truncate", Importance::kTokenTruncate},
                  {"token_mask", Importance::kTokenMask},
                  {"sequence_truncate", Importance::kSequenceTruncate},
                  {"sequence_mask", Importance::kSequenceMask}},
                 {.help = "correction of stale tokens, with old_policy = decoupled"});
  section.field("importance_cap", a.importance_cap, {.help = "its limit", .min = 0, .max = 1e6});
}

void describe_updates(GrpoAlgorithm& a, ConfigSection& section) {
  section.field("update_epochs", a.update_epochs, {.help = "passes over a rollout", .min = 1, .max = 1000});
  section.field("mini_batches", a.mini_batches, {.help = "updates a pass", .min = 1, .max = 4096});
}

// Below and above 1. A whole completion's ratio is a geometric mean and stays near 1 (GSPO: arXiv 2507.18071,
// section 5.1); CISPO caps above alone.
std::pair<float, float> own_clips(RatioKind ratio) {
  switch (ratio) {
    case RatioKind::kToken:
      return {0.2F, 0.2F};
    case RatioKind::kSequence:
      return {3e-4F, 4e-4F};
    case RatioKind::kCispo:
      return {0.2F, 4.0F};
  }
  return {};
}

}  // namespace

void GrpoAlgorithm::describe(ConfigSection& section) {
  describe_loss(*this, section);
  describe_policies(*this, section);
  describe_updates(*this, section);
}

Result<GrpoLearnerOptions> grpo_learner_options(const Settings& settings) {
  const GrpoSettings& grpo = settings.grpo;
  const GrpoAlgorithm& a = grpo.algorithm;
  GrpoLearnerOptions options;
  // Where rewards are more than verdicts, nearly every completion has another number: what differs by less than a
  // twentieth of the range is a tie.
  constexpr double kGradedSpread = 0.05;
  const double own_spread = settings.reward.is_graded() ? kGradedSpread : 0;
  const double min_spread = grpo.min_spread < 0 ? own_spread : grpo.min_spread;
  options.advantage = {grpo.advantage, static_cast<float>(grpo.std_epsilon), static_cast<float>(grpo.std_floor),
                       static_cast<float>(min_spread)};
  options.process = {settings.reward.process != ProcessSignal::kNone,
                     static_cast<float>(settings.reward.outcome_weight)};
  for (const auto& [key, value] : {std::pair{"clip_low", grpo.clip_low}, std::pair{"clip_high", grpo.clip_high}}) {
    if (value < 0 && value != -1) {
      return Error{fmt::format("grpo.{}: expected 0 or more, or -1 for the ratio's own, found {:g}", key, value)};
    }
  }
  const auto [low, high] = own_clips(a.ratio);
  options.loss = {a.ratio,
                  grpo.clip_low < 0 ? low : static_cast<float>(grpo.clip_low),
                  grpo.clip_high < 0 ? high : static_cast<float>(grpo.clip_high),
                  a.dual_clip,
                  KlLoss::kNone,
                  0,
                  a.entropy_coefficient};
  options.aggregation = a.aggregation;
  options.count_contributing_only = a.count_contributing_only;
  options.max_completion_tokens = settings.sampling.max_new_tokens;
  options.zero_spread = a.zero_spread;
  options.old_policy = a.old_policy;
  options.importance = a.importance;
  options.importance_cap = a.importance_cap;
  options.filter_overlong = a.filter_overlong;
  options.overlong = a.overlong;
  options.high_entropy_share = a.high_entropy_share;
  options.entropy_target = a.entropy_target;
  options.router = a.router;
  options.epochs = a.update_epochs;
  options.mini_batches = a.mini_batches;
  options.schedule = grpo.optimizer.schedule(grpo.warmup_steps, grpo.steps);
  options.micro_batch_tokens = grpo.micro_batch_tokens;
  switch (a.kl) {
    case KlTerm::kNone:
      break;
    case KlTerm::kK1Reward:
      options.kl_reward_coefficient = a.kl_coefficient;
      break;
    case KlTerm::kK1Loss:
      return Error{
          "grpo.kl: k1 in the loss does nothing but add noise: the gradient of log pi - log pi_ref is that of "
          "log pi, whose mean over the policy's own samples is 0; take k1_reward, k2, k3 or unbiased"};
    case KlTerm::kK2:
    case KlTerm::kK3:
    case KlTerm::kUnbiased:
      options.loss.kl = a.kl == KlTerm::kK2 ? KlLoss::kK2 : a.kl == KlTerm::kK3 ? KlLoss::kK3 : KlLoss::kUnbiased;
      options.loss.kl_coefficient = a.kl_coefficient;
      break;
  }
  const SamplingSettings& sampling = settings.sampling;
  const bool truncated = sampling.top_k > 0 || sampling.top_p < 1 || sampling.min_p > 0 || sampling.typical_p < 1;
  PLUMB_TRY(check_options(
      options, {static_cast<float>(sampling.temperature), truncated, a.reference.kind != ReferenceKind::kNone}));
  if (grpo.group_size < 2 && grpo.advantage != AdvantageKind::kReinforcePp) {
    return Error{
        "grpo.group_size: a group of one has nothing to be compared with; take 2 or more, or grpo.advantage = "
        "reinforce_pp"};
  }
  if (a.zero_spread == ZeroSpread::kRefill && settings.reward.combine == PartCombination::kNormaliseThenSum) {
    return Error{
        "grpo.zero_spread: refill asks each group whether its scores differ before its parts are normalised, and with "
        "reward.combine = normalise_then_sum the update asks after that; take skip_compute, or sum_then_normalise"};
  }
  if (options.process.on && grpo.reward_arm == RewardArm::kPermuted) {
    return Error{
        "grpo.reward_arm: the scores of a completion's steps do not fit the steps of another; with reward.process take "
        "negated, or reward.process = none"};
  }
  if (a.mini_batches > grpo.prompts_per_step) {
    return Error{"grpo.mini_batches: more than there are groups (grpo.prompts_per_step)"};
  }
  if (grpo.min_code_prompts > grpo.prompts_per_step) {
    return Error{"grpo.min_code_prompts: more than a step has prompts (grpo.prompts_per_step)"};
  }
  return options;
}

}  // namespace plumb
