#include "apps/plumb/idle_settings.h"

#include <fmt/format.h>

#include <cstdio>
#include <span>

namespace plumb {
namespace {

struct Switched {
  const char* key;
  bool changed;       // from its default
  bool acts;          // where the others are as they are
  const char* needs;  // what would make it act
};

std::vector<std::string> idle_of(std::span<const Switched> keys) {
  std::vector<std::string> idle;
  for (const Switched& one : keys) {
    if (one.changed && !one.acts) {
      idle.push_back(fmt::format("{} does nothing here; it needs {}", one.key, one.needs));
    }
  }
  return idle;
}

}  // namespace

std::vector<std::string> idle_grpo_settings(const Settings& settings) {
  const GrpoSettings& g = settings.grpo;
  const GrpoAlgorithm& a = g.algorithm;
  const RewardOptions& r = settings.reward;
  const GrpoSettings usual;
  const GrpoAlgorithm& usual_a = usual.algorithm;
  const RewardOptions usual_r;
  const bool dev = g.dev_every > 0;
  const bool moves = a.reference.kind == ReferenceKind::kRefreshed || a.reference.kind == ReferenceKind::kEma;
  const bool divides = (g.advantage != AdvantageKind::kNoStd && g.advantage != AdvantageKind::kLeaveOneOut) ||
                       r.combine == PartCombination::kNormaliseThenSum;
  const bool synchronous = g.schedule == RolloutSchedule::kSynchronous;
  const Switched keys[] = {
      {"grpo.dev_patience", g.dev_patience != usual.dev_patience, dev, "grpo.dev_every"},
      {"grpo.dev_prompts", g.dev_prompts != usual.dev_prompts, dev, "grpo.dev_every"},
      {"grpo.max_staleness", g.max_staleness != usual.max_staleness, g.schedule == RolloutSchedule::kAsynchronous,
       "grpo.schedule = asynchronous"},
      {"grpo.actor_threads", g.actor_threads != usual.actor_threads, !synchronous || g.actor_processes > 0,
       "grpo.schedule = one_step_off or asynchronous, or grpo.actor_processes"},
      {"grpo.actor_timeout_s", g.actor_timeout_s != usual.actor_timeout_s, g.actor_processes > 0,
       "grpo.actor_processes"},
      {"grpo.decay_share", g.optimizer.decay_share != usual.optimizer.decay_share, g.optimizer.decay == Decay::kWsd,
       "grpo.decay = wsd"},
      {"grpo.final_fraction", g.optimizer.final_fraction != usual.optimizer.final_fraction,
       g.optimizer.decay != Decay::kConstant, "grpo.decay"},
      {"grpo.warmup_steps", g.warmup_steps > g.steps && g.warmup_steps != usual.warmup_steps, false,
       "more grpo.steps: the learning rate does not reach its peak"},
      {"grpo.clip_low", g.clip_low != usual.clip_low, a.ratio != RatioKind::kCispo, "grpo.ratio = token or sequence"},
      {"grpo.std_floor", g.std_floor != usual.std_floor, divides, "an advantage that divides by a deviation"},
      {"grpo.refill_rounds", a.refill_rounds != usual_a.refill_rounds, a.zero_spread == ZeroSpread::kRefill,
       "grpo.zero_spread = refill"},
      {"grpo.kl_coefficient", a.kl_coefficient != usual_a.kl_coefficient, a.kl != KlTerm::kNone, "grpo.kl"},
      {"grpo.reference_every", a.reference.every != usual_a.reference.every, moves,
       "grpo.reference = refreshed or ema"},
      {"grpo.reference_rate", a.reference.rate != usual_a.reference.rate, a.reference.kind == ReferenceKind::kEma,
       "grpo.reference = ema"},
      {"grpo.importance_cap", a.importance_cap != usual_a.importance_cap, a.importance != Importance::kNone,
       "grpo.importance"},
      {"grpo.entropy_step", a.entropy_target.step != usual_a.entropy_target.step, a.entropy_target.target > 0,
       "grpo.entropy_target"},
      {"grpo.entropy_max", a.entropy_target.max != usual_a.entropy_target.max, a.entropy_target.target > 0,
       "grpo.entropy_target"},
      {"grpo.overlong_weight", a.overlong.weight != usual_a.overlong.weight, a.overlong.zone > 0, "grpo.overlong_zone"},
      {"reward.fraction_weight", r.fraction_weight != usual_r.fraction_weight, r.code == CodeScoring::kFraction,
       "reward.code = fraction"},
      {"reward.reward_model_weight", r.reward_model_weight != usual_r.reward_model_weight,
       r.code_signal == CodeSignal::kMix, "reward.code_signal = mix"},
      {"reward.outcome_weight", r.outcome_weight != usual_r.outcome_weight, r.process != ProcessSignal::kNone,
       "reward.process"},
  };
  return idle_of(keys);
}

std::vector<std::string> idle_sft_settings(const Settings& settings) {
  const SftSettings& s = settings.sft;
  const SftSettings usual;
  const Switched keys[] = {
      {"sft.fim_spm_rate", s.fim_spm_rate != usual.fim_spm_rate, s.fim_rate > 0, "sft.fim_rate"},
      {"sft.decay_share", s.optimizer.decay_share != usual.optimizer.decay_share, s.optimizer.decay == Decay::kWsd,
       "sft.decay = wsd"},
      {"sft.batch_size", s.batch_size != usual.batch_size, s.batch_tokens == 0, "sft.batch_tokens = 0"},
  };
  return idle_of(keys);
}

void say_idle(const std::vector<std::string>& idle) {
  for (const std::string& sentence : idle) {
    std::fprintf(stderr, "plumb: note: %s\n", sentence.c_str());
  }
}

}  // namespace plumb
