#pragma once
// The keys of section grpo that choose among the family of algorithms; docs/learner.md has the table of which published
// recipe is which setting.

#include <cstdint>

#include "core/config.h"
#include "learner/grpo_options.h"
#include "learner/reference.h"

namespace plumb {

struct Settings;

/// A divergence from the reference by its estimator and place. kK1Loss is known so that it can be refused with the
/// reason.
enum class KlTerm : std::uint8_t { kNone, kK1Reward, kK1Loss, kK2, kK3, kUnbiased };

struct GrpoAlgorithm {
  RatioKind ratio = RatioKind::kToken;
  float dual_clip = 0;
  Aggregation aggregation = Aggregation::kTokenMean;
  bool count_contributing_only = false;
  ZeroSpread zero_spread = ZeroSpread::kSkipCompute;
  int refill_rounds = 4;
  KlTerm kl = KlTerm::kNone;
  float kl_coefficient = 0.04F;
  ReferenceOptions reference;
  OldPolicy old_policy = OldPolicy::kCoupled;
  Importance importance = Importance::kNone;
  float importance_cap = 2;
  bool filter_overlong = false;
  OverlongPenalty overlong;
  float high_entropy_share = 1;
  float entropy_coefficient = 0;
  EntropyTarget entropy_target;
  RouterLossOptions router;
  int update_epochs = 1;
  int mini_batches = 1;
  void describe(ConfigSection& section);
};

/// The learner's options of a config. Errors: check_options(), and a KL k1 in the loss.
Result<GrpoLearnerOptions> grpo_learner_options(const Settings& settings);

}  // namespace plumb
