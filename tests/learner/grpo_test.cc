// Whole updates of a small policy: what the options do to groups, and that the split into micro-batches does not
// matter.

#include "learner/grpo.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "learner/batching.h"
#include "tests/support/grpo_update.h"

namespace plumb {
namespace {

using testing::GrpoUpdate;

const std::vector<unsigned> kPatterns = {0b0001, 0b0110, 0b1111, 0b0111, 0b0000};

TEST_F(GrpoUpdate, AnySplitIntoMicroBatchesGivesEqualGradients) {
  for (const auto aggregation :
       {Aggregation::kTokenMean, Aggregation::kSampleMean, Aggregation::kConstantLength, Aggregation::kSequenceSum}) {
    for (const auto ratio : {RatioKind::kToken, RatioKind::kSequence, RatioKind::kCispo}) {
      GrpoLearnerOptions options;
      options.aggregation = aggregation;
      options.max_completion_tokens = 12;
      options.loss.ratio = ratio;
      options.loss.kl = KlLoss::kK3;
      options.loss.kl_coefficient = 0.1F;
      options.zero_spread = ZeroSpread::kKeep;
      options.high_entropy_share = 0.7F;
      const Outcome whole = run(options, kPatterns);
      options.micro_batch_tokens = 1;
      const Outcome split = run(options, kPatterns);
      expect_close(whole.gradient, split.gradient, 1e-5);
      EXPECT_NEAR(whole.stats.policy_loss, split.stats.policy_loss, 1e-9);
      EXPECT_EQ(whole.stats.trained_tokens, split.stats.trained_tokens);
    }
  }
}

// What moves the policy away from what sampled, as an asynchronous actor's weights are.
void age(std::vector<ScoredGroup>&, Policy& policy) {
  for (ParameterView& parameter : policy.parameters()) {
    for (float& value : parameter.value) {
      value *= 1.02F;
    }
  }
  policy.commit_update();
}

// The factors, the products over a completion among them, and the terms that they weigh are of completions, not of
// micro-batches.
TEST_F(GrpoUpdate, AnySplitGivesEqualGradientsOfStaleTokens) {
  for (const auto importance :
       {Importance::kTokenTruncate, Importance::kTokenMask, Importance::kSequenceTruncate, Importance::kSequenceMask}) {
    for (const auto kl : {KlLoss::kK2, KlLoss::kUnbiased}) {
      GrpoLearnerOptions options;
      options.old_policy = OldPolicy::kDecoupled;
      options.importance = importance;
      options.importance_cap = 1.1F;
      options.loss.kl = kl;
      options.loss.kl_coefficient = 0.1F;
      options.loss.entropy_coefficient = 0.01F;
      options.zero_spread = ZeroSpread::kKeep;
      options.high_entropy_share = 0.7F;
      const Outcome whole = run(options, kPatterns, age);
      EXPECT_EQ(whole.stats.staleness_max, 1);
      options.micro_batch_tokens = 1;
      const Outcome split = run(options, kPatterns, age);
      expect_close(whole.gradient, split.gradient, 1e-5);
      EXPECT_NEAR(whole.stats.policy_loss, split.stats.policy_loss, 1e-9);
    }
  }
}

// With equal rewards the divergence alone has a gradient. It is of raw log-probs, whatever the temperature was.
TEST_F(GrpoUpdate, TheDivergenceIsOfRawLogProbs) {
  const auto move = [](std::vector<ScoredGroup>&, Policy& policy) {
    for (const ParameterView& view : policy.parameters()) {
      for (float& value : view.value) {
        value *= 1.01F;
      }
    }
    policy.commit_update();
  };
  for (const auto kl : {KlLoss::kK2, KlLoss::kK3}) {
    GrpoLearnerOptions options;
    options.loss.kl = kl;
    options.loss.kl_coefficient = 0.5F;
    options.zero_spread = ZeroSpread::kKeep;
    const Outcome plain = run(options, {0b1111, 0b0000}, move);
    const Outcome warm = run(options, {0b1111, 0b0000}, move, 0.5F);
    EXPECT_GT(plain.stats.reference_kl, 0);
    EXPECT_EQ(plain.stats.reference_kl, warm.stats.reference_kl);
    expect_close(plain.gradient, warm.gradient, 1e-5);
    EXPECT_EQ(run(options, {0b0111}, {}, 0.5F).stats.reference_kl, 0);  // the reference is the policy
  }
}

TEST_F(GrpoUpdate, KeepingGroupsWithoutSpreadChangesNothingWithoutADivergence) {
  GrpoLearnerOptions options;
  const Outcome skipped = run(options, kPatterns);
  EXPECT_EQ(skipped.stats.trained_groups, 3);
  EXPECT_NEAR(skipped.stats.frac_reward_zero_std, 0.4, 1e-12);
  options.zero_spread = ZeroSpread::kKeep;
  const Outcome kept = run(options, kPatterns);
  EXPECT_EQ(kept.stats.trained_groups, 5);
  expect_close(skipped.gradient, kept.gradient, 1e-5);
}

TEST_F(GrpoUpdate, ContributingDenominatorScalesByTheTokensThatAreLeftOut) {
  GrpoLearnerOptions options;
  const Outcome all = run(options, kPatterns);
  options.count_contributing_only = true;
  const Outcome contributing = run(options, kPatterns);
  std::int64_t tokens = 0;
  for (const ScoredGroup& group : testing::make_groups(*make_policy(), kPatterns)) {
    for (const Completion& completion : group.group.completions) {
      tokens += static_cast<std::int64_t>(completion.token_ids.size());
    }
  }
  std::vector<float> scaled;
  for (const float value : all.gradient) {
    scaled.push_back(value * static_cast<float>(tokens) / static_cast<float>(all.stats.trained_tokens));
  }
  expect_close(contributing.gradient, scaled, 1e-5);
}

TEST_F(GrpoUpdate, DivergenceIsExactlyZeroAtTheStart) {
  for (const auto kl : {KlLoss::kK2, KlLoss::kK3, KlLoss::kUnbiased}) {
    GrpoLearnerOptions options;
    options.loss.kl = kl;
    options.loss.kl_coefficient = 1;
    options.zero_spread = ZeroSpread::kKeep;
    const Outcome outcome = run(options, kPatterns);
    EXPECT_EQ(outcome.stats.reference_kl, 0.0);
    EXPECT_EQ(outcome.stats.ratio_max_abs_dev, 0.0);
  }
}

TEST_F(GrpoUpdate, DivergenceInTheRewardMovesAdvantages) {
  GrpoLearnerOptions options;
  options.advantage = {.kind = AdvantageKind::kNoStd};
  options.kl_reward_coefficient = 0.5F;
  std::vector<ScoredGroup> groups = testing::make_groups(*make_policy(), {0b0011});
  std::vector<TrainedGroup> trained = trained_groups(groups);
  for (TrainedCompletion& each : trained[0].completions) {
    each.reference_log_probs = each.completion->log_probs;
  }
  trained[0].completions[2].reference_log_probs[0] -= 2;  // log mu - log pi_ref sums to 2: reward 0 - 0.5 * 2
  prepare_update(trained, options);
  const double mean = (1 + 1 - 1 + 0) / 4.0;
  EXPECT_NEAR(trained[0].completions[2].advantage, -1 - mean, 1e-6);
  EXPECT_NEAR(trained[0].completions[3].advantage, 0 - mean, 1e-6);
}

TEST_F(GrpoUpdate, FilteredCompletionsCountInTheBaselineOnly) {
  GrpoLearnerOptions options;
  options.filter_overlong = true;
  std::vector<ScoredGroup> groups = testing::make_groups(*make_policy(), {0b0011});
  std::vector<TrainedGroup> trained = trained_groups(groups);
  prepare_update(trained, options);
  ASSERT_EQ(trained[0].completions.size(), 3U);  // the first was cut off
  EXPECT_NEAR(trained[0].completions[0].advantage, 0.5 / (1 / std::sqrt(3.0) + 1e-4), 1e-5);
  double tokens = 0;
  for (const TrainedCompletion& each : trained[0].completions) {
    tokens += static_cast<double>(each.num_tokens());
  }
  EXPECT_EQ(trained[0].completions[0].denominator, tokens);
}

TEST_F(GrpoUpdate, OverlongPenaltyFallsOverItsZone) {
  GrpoLearnerOptions options;
  options.max_completion_tokens = 20;
  options.overlong = {.zone = 4, .weight = 0.5F};
  EXPECT_EQ(overlong_penalty(16, options), 0.0);
  EXPECT_EQ(overlong_penalty(17, options), -0.125);
  EXPECT_EQ(overlong_penalty(20, options), -0.5);
  options.overlong.zone = 0;
  EXPECT_EQ(overlong_penalty(20, options), 0.0);
}

TEST_F(GrpoUpdate, UnscoredCompletionsAreOutAndOneAloneDropsItsGroup) {
  GrpoLearnerOptions options;
  options.zero_spread = ZeroSpread::kKeep;
  const auto lose = [](std::vector<ScoredGroup>& groups, Policy&) {
    for (std::size_t i = 1; i < 4; ++i) {
      groups[0].scores[i].unscored = "the sandbox broke";
    }
    groups[1].scores[0].unscored = "the sandbox broke";
  };
  const Outcome outcome = run(options, {0b0001, 0b0110}, lose);
  EXPECT_EQ(outcome.stats.trained_groups, 1);
  const auto groups = testing::make_groups(*make_policy(), {0b0001, 0b0110});
  std::int64_t tokens = 0;
  for (std::size_t i = 1; i < 4; ++i) {
    tokens += static_cast<std::int64_t>(groups[1].group.completions[i].token_ids.size());
  }
  EXPECT_EQ(outcome.stats.trained_tokens, tokens);
}

TEST_F(GrpoUpdate, SeveralEpochsAndMiniBatchesMakeThatManyUpdates) {
  GrpoLearnerOptions options;
  options.epochs = 3;
  options.mini_batches = 2;
  options.schedule.peak = 1e-3F;
  const Outcome outcome = run(options, {0b0001, 0b0110, 0b0011, 0b0111});
  EXPECT_EQ(outcome.stats.num_updates, 6);
  EXPECT_EQ(outcome.stats.ratio_max_abs_dev, 0.0) << "of the first update";
  EXPECT_GT(outcome.stats.kl, 0.0) << "later ones have moved away";
}

TEST_F(GrpoUpdate, DecoupledOnFreshTokensIsCoupled) {
  GrpoLearnerOptions options;
  const Outcome coupled = run(options, kPatterns);
  options.old_policy = OldPolicy::kDecoupled;
  options.importance = Importance::kTokenTruncate;
  const Outcome decoupled = run(options, kPatterns);
  EXPECT_EQ(coupled.gradient, decoupled.gradient);
}

TEST_F(GrpoUpdate, DecoupledOnStaleTokensCorrectsOnce) {
  // Without clips (and caps) both are A pi / mu: coupled as the ratio, decoupled as factor times ratio 1.
  GrpoLearnerOptions options;
  options.loss.clip_low = 1;
  options.loss.clip_high = 100;
  const Outcome coupled = run(options, kPatterns, age);
  EXPECT_GT(coupled.stats.ratio_max_abs_dev, 1e-3);
  EXPECT_EQ(coupled.stats.staleness_max, 1);
  options.old_policy = OldPolicy::kDecoupled;
  options.importance = Importance::kTokenTruncate;
  options.importance_cap = 100;
  const Outcome decoupled = run(options, kPatterns, age);
  EXPECT_EQ(decoupled.stats.ratio_max_abs_dev, 0.0) << "pi_prox is the policy at the start, bit for bit";
  expect_close(coupled.gradient, decoupled.gradient, 1e-5);
}

TEST_F(GrpoUpdate, ALossThatIsNotFiniteChangesNothing) {
  const auto spoil = [](std::vector<ScoredGroup>& groups, Policy&) {
    groups[0].group.completions[1].log_probs[0] = NAN;
  };
  const Outcome outcome = run({}, kPatterns, spoil);
  EXPECT_FALSE(outcome.stats.finite);
  EXPECT_FALSE(outcome.stats.updated);
  for (const float value : outcome.gradient) {
    ASSERT_EQ(value, 0.0F);
  }
}

// Of the first of two groups all is computed, of the second what a divergence or a mask asks for.
TEST_F(GrpoUpdate, CountsTheRowsThatGoThroughTheModel) {
  std::vector<std::int64_t> rows;
  std::vector<std::int64_t> targets;
  const auto count = [&](std::vector<ScoredGroup>& groups, Policy&) {
    for (const TrainedGroup& group : trained_groups(groups)) {
      PackedSequences packed;
      append_sequences(group.sequences(), packed);
      rows.push_back(packed.batch.num_tokens());
      targets.push_back(static_cast<std::int64_t>(packed.num_targets()));
    }
  };
  GrpoLearnerOptions options;
  options.epochs = 2;
  options.micro_batch_tokens = 1;
  LearnerWork work = run(options, {0b0001, 0b0000}, count).stats.work;
  EXPECT_EQ(work.trained_rows, 2 * rows[0]);
  EXPECT_EQ(work.trained_targets, 2 * targets[0]);
  EXPECT_EQ(work.scored_rows, 0);
  options.high_entropy_share = 0.5F;
  work = run(options, {0b0001, 0b0000}).stats.work;
  EXPECT_EQ(work.scored_rows, rows[0] + rows[1]);
  options.kl_reward_coefficient = 0.1F;
  work = run(options, {0b0001, 0b0000}).stats.work;
  EXPECT_EQ(work.trained_rows, 2 * rows[0]);
  EXPECT_EQ(work.scored_rows, 2 * (rows[0] + rows[1]));
  EXPECT_EQ(work.scored_targets, 2 * (targets[0] + targets[1]));
  work = run(options, {0b0001, 0b0000}, {}, 0.5F).stats.work;  // the policy's raw log-probs, too
  EXPECT_EQ(work.scored_rows, 3 * (rows[0] + rows[1]));
}

// Advantages near the largest f32: the loss, an f64, is finite, and the gradient, a sum of f32, is not.
void overflow(ScoredGroup& group) {
  group.scores[0].total = 3.2e38;
  group.scores[1].total = -3.2e38;
}

// Good updates come before and after it, in every step: not four in a row.
TEST_F(GrpoUpdate, OneBadMiniBatchOfFourIsSkippedAlone) {
  GrpoLearnerOptions options;
  options.advantage = {.kind = AdvantageKind::kNoStd};
  options.aggregation = Aggregation::kSequenceSum;
  options.mini_batches = 4;
  const auto policy = make_policy();
  Optimizer optimizer(*policy, pool_, {});
  GrpoLearner learner(*policy, optimizer, options);
  for (std::int64_t step = 0; step < 6; ++step) {
    std::vector<ScoredGroup> groups = testing::make_groups(*policy, {0b0001, 0b0110, 0b0011, 0b0111});
    overflow(groups[1]);
    const GrpoStepStats stats = learner.step(groups, step, 1);
    EXPECT_TRUE(stats.finite);
    EXPECT_EQ(stats.num_updates, 3);
    EXPECT_EQ(stats.skipped_updates, 1);
    EXPECT_FALSE(stats.gave_up);
  }
  EXPECT_EQ(learner.skipped_in_a_row(), 0) << "good ones have come after it";
}

TEST_F(GrpoUpdate, TheFourthBadUpdateInARowIsTheLastOfItsStep) {
  GrpoLearnerOptions options;
  options.advantage = {.kind = AdvantageKind::kNoStd};
  options.aggregation = Aggregation::kSequenceSum;
  options.mini_batches = 4;
  options.epochs = 3;
  const auto spoil = [](std::vector<ScoredGroup>& groups, Policy&) { std::ranges::for_each(groups, overflow); };
  const Outcome outcome = run(options, {0b0001, 0b0110, 0b0011, 0b0111}, spoil);
  EXPECT_EQ(outcome.stats.num_updates, 0);
  EXPECT_EQ(outcome.stats.skipped_updates, 4);
  EXPECT_TRUE(outcome.stats.gave_up);
  EXPECT_TRUE(outcome.stats.finite);
}

// One bad update a step: they are counted from step to step, and from a checkpoint on.
TEST_F(GrpoUpdate, SkippedUpdatesAreCountedOverSteps) {
  GrpoLearnerOptions options;
  options.advantage = {.kind = AdvantageKind::kNoStd};
  options.aggregation = Aggregation::kSequenceSum;
  const auto policy = make_policy();
  Optimizer optimizer(*policy, pool_, {});
  std::vector<ScoredGroup> groups = testing::make_groups(*policy, {0b0001});
  overflow(groups[0]);
  int resumed_with = 0;
  for (int step = 1; step <= 4; ++step) {
    GrpoLearner learner(*policy, optimizer, options);
    learner.set_skipped_in_a_row(resumed_with);
    EXPECT_EQ(learner.step(groups, step, 1).gave_up, step == 4);
    resumed_with = learner.skipped_in_a_row();
    EXPECT_EQ(resumed_with, step);
  }
}

TEST(EntropyTarget, MovesTheCoefficientWithinItsBounds) {
  const EntropyTarget target{.target = 1, .step = 0.25F, .max = 0.5F};
  EXPECT_EQ(next_entropy_coefficient(0.0F, 0.9, target), 0.25F);
  EXPECT_EQ(next_entropy_coefficient(0.5F, 0.9, target), 0.5F);
  EXPECT_EQ(next_entropy_coefficient(0.25F, 1.1, target), 0.0F);
  EXPECT_EQ(next_entropy_coefficient(0.125F, 0.9, {}), 0.125F);
}

TEST(EntropyThreshold, IsTheInterpolatedQuantile) {
  EXPECT_DOUBLE_EQ(entropy_threshold({4, 1, 3, 2}, 0.5), 2.5);
  EXPECT_DOUBLE_EQ(entropy_threshold({4, 1, 3, 2}, 1.0), 1.0);
}

struct Refused {
  const char* name;
  std::function<void(GrpoLearnerOptions&, SamplingFacts&)> make;
  const char* words;
};

TEST(CheckOptions, RefusesWhatWouldComputeSomethingElse) {
  const std::vector<Refused> all = {
      {"divergence from nothing", [](auto& o, auto&) { o.kl_reward_coefficient = 1; }, "grpo.reference"},
      {"idle reference", [](auto&, auto& s) { s.has_reference = true; }, "grpo.kl"},
      {"counted twice",
       [](auto& o, auto& s) {
         s.has_reference = true;
         o.kl_reward_coefficient = 1;
         o.loss.kl = KlLoss::kK3;
       },
       "twice"},
      {"corrected twice", [](auto& o, auto&) { o.importance = Importance::kTokenMask; }, "correct twice"},
      {"not corrected", [](auto& o, auto&) { o.old_policy = OldPolicy::kDecoupled; }, "grpo.importance"},
      {"dual clip inside", [](auto& o, auto&) { o.loss.dual_clip = 1.1F; }, "grpo.dual_clip"},
      {"dual clip of CISPO",
       [](auto& o, auto&) {
         o.loss.dual_clip = 3;
         o.loss.ratio = RatioKind::kCispo;
       },
       "CISPO"},
      {"entropy at a temperature",
       [](auto& o, auto& s) {
         o.loss.entropy_coefficient = 0.1F;
         s.temperature = 0.7F;
       },
       "temperature"},
      {"skipped entropy", [](auto& o, auto&) { o.loss.entropy_coefficient = 0.1F; }, "zero_spread = keep"},
      {"refill of no groups",
       [](auto& o, auto&) {
         o.zero_spread = ZeroSpread::kRefill;
         o.advantage.kind = AdvantageKind::kReinforcePp;
       },
       "reinforce_pp"},
      {"refill of what has a gradient",
       [](auto& o, auto& s) {
         s.has_reference = true;
         o.kl_reward_coefficient = 0.1F;
         o.zero_spread = ZeroSpread::kRefill;
         o.count_contributing_only = true;
       },
       "grpo.zero_spread"},
      {"refill of all", [](auto& o, auto&) { o.zero_spread = ZeroSpread::kRefill; }, "contributing"},
      {"zone", [](auto& o, auto&) { o.overlong.zone = 9; }, "overlong_zone"},
      {"steps without a form of the kind",
       [](auto& o, auto&) {
         o.process.on = true;
         o.advantage.kind = AdvantageKind::kLeaveOneOut;
       },
       "grpo.advantage"},
      {"steps under one ratio",
       [](auto& o, auto&) {
         o.process.on = true;
         o.loss.ratio = RatioKind::kSequence;
       },
       "grpo.ratio"},
      {"a penalty without weight",
       [](auto& o, auto&) {
         o.process = {true, 0};
         o.max_completion_tokens = 9;
         o.overlong.zone = 3;
       },
       "reward.outcome_weight"},
  };
  for (const Refused& each : all) {
    GrpoLearnerOptions options;
    SamplingFacts sampling;
    EXPECT_TRUE(check_options(options, sampling).ok());
    each.make(options, sampling);
    const auto checked = check_options(options, sampling);
    ASSERT_FALSE(checked.ok()) << each.name;
    EXPECT_NE(checked.error().message.find(each.words), std::string::npos)
        << each.name << ": " << checked.error().message;
  }
}

}  // namespace
}  // namespace plumb
