// Which groups an update trains on, with what advantages, and in which of its mini-batches: spread is a matter of
// scores, whatever a divergence or a length penalty adds to them.

#include <gtest/gtest.h>

#include <cmath>

#include "learner/grpo_batch.h"
#include "tests/support/grpo_update.h"

namespace plumb {
namespace {

class GrpoGroups : public testing::GrpoUpdate {
 protected:
  // The advantages of all groups, [groups * completions], after each completion's first token was given `divergences`
  // nats from the reference.
  std::vector<double> advantages_of(const std::vector<ScoredGroup>& groups, const GrpoLearnerOptions& options,
                                    const std::vector<double>& divergences) {
    std::vector<TrainedGroup> trained = trained_groups(groups);
    std::size_t next = 0;
    for (TrainedGroup& group : trained) {
      for (TrainedCompletion& each : group.completions) {
        each.reference_log_probs = each.completion->log_probs;
        each.reference_log_probs[0] -= static_cast<float>(divergences[next++]);
      }
    }
    prepare_update(trained, options);
    std::vector<double> advantages;
    for (const TrainedGroup& group : trained) {
      for (const TrainedCompletion& each : group.completions) {
        advantages.push_back(static_cast<double>(each.advantage));
      }
    }
    return advantages;
  }
};

// A token of 1/8 nat of divergence in a group of equal rewards, at beta 1/2: rewards 1 - 1/16, 1, 1, 1. What it is
// worth follows from 1/16, not from a deviation that is of nothing else.
TEST_F(GrpoGroups, ADivergenceInTiedScoresKeepsItsSize) {
  const std::vector<ScoredGroup> groups = testing::make_groups(*make_policy(), {0b1111, 0b0011});
  const std::vector<double> divergences = {0.125, 0, 0, 0, 0, 0, 0, 0};
  GrpoLearnerOptions options;
  options.kl_reward_coefficient = 0.5F;
  options.zero_spread = ZeroSpread::kKeep;
  for (const auto& [kind, scale] : {std::pair{AdvantageKind::kGroupStd, 1.0}, std::pair{AdvantageKind::kNoStd, 1.0},
                                    std::pair{AdvantageKind::kLeaveOneOut, 4.0 / 3}}) {
    options.advantage = {.kind = kind, .std_epsilon = 0};
    const std::vector<double> advantages = advantages_of(groups, options, divergences);
    ASSERT_EQ(advantages.size(), 8U);
    EXPECT_NEAR(advantages[0], -0.75 * 0.0625 * scale, 1e-6);
    EXPECT_NEAR(advantages[1], 0.25 * 0.0625 * scale, 1e-6);
  }
  options.advantage = {.kind = AdvantageKind::kGroupStd, .std_epsilon = 0};
  EXPECT_NEAR(advantages_of(groups, options, divergences)[4], 0.5 * std::sqrt(3.0), 1e-6);
  // The batch's deviation is not of the divergence alone; that of a batch whose scores all tie is.
  for (const auto kind : {AdvantageKind::kBatchStd, AdvantageKind::kReinforcePp, AdvantageKind::kReinforcePpBaseline}) {
    options.advantage = {.kind = kind, .std_epsilon = 0};
    EXPECT_GT(std::abs(advantages_of(groups, options, divergences)[4]), 0.5);
    EXPECT_LT(std::abs(advantages_of(groups, options, divergences)[1]), 1.0);
    const std::vector<ScoredGroup> tied = testing::make_groups(*make_policy(), {0b1111, 0b1111});
    EXPECT_LT(std::abs(advantages_of(tied, options, divergences)[0]), 0.0625);
    EXPECT_GT(std::abs(advantages_of(tied, options, divergences)[0]), 0.03);
  }
}

// A minimum spread makes ties of noise, and the noise does not come back with the divergence.
TEST_F(GrpoGroups, TiedScoresCountAsEqual) {
  std::vector<ScoredGroup> groups = testing::make_groups(*make_policy(), {0b0000});
  groups[0].scores[2].total = 0.04;
  GrpoLearnerOptions options;
  options.advantage = {.kind = AdvantageKind::kNoStd, .min_spread = 0.05F};
  options.kl_reward_coefficient = 0.5F;
  options.zero_spread = ZeroSpread::kKeep;
  const std::vector<double> advantages = advantages_of(groups, options, {0.125, 0, 0, 0});
  EXPECT_NEAR(advantages[1], 0.25 * 0.0625, 1e-6);
  EXPECT_NEAR(advantages[2], 0.25 * 0.0625, 1e-6);
}

// 3, 4, 5 and 6 tokens of 6 at most, over a zone of 4: penalties 1/4, 1/2, 3/4 and 1.
TEST_F(GrpoGroups, ALengthPenaltyInTiedScoresKeepsItsSize) {
  GrpoLearnerOptions options;
  options.max_completion_tokens = 6;
  options.overlong = {.zone = 4, .weight = 0.1F};
  const auto groups = testing::make_groups(*make_policy(), {0b0000});
  const std::vector<double> advantages = advantages_of(groups, options, {0, 0, 0, 0});
  ASSERT_EQ(advantages.size(), 4U) << "what has an advantage is not skipped";
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(advantages[i], 0.1 * (0.375 - 0.25 * static_cast<double>(i)), 1e-6);
  }
  std::vector<TrainedGroup> trained = trained_groups(groups);
  EXPECT_EQ(prepare_update(trained, options).groups_with_spread, 0);
}

// At the start the policy is its reference: no divergence, and so nothing in groups of equal rewards.
TEST_F(GrpoGroups, ADivergenceInTheRewardIsExactlyZeroAtTheStart) {
  GrpoLearnerOptions options;
  const Outcome without = run(options, {0b0001, 0b1111, 0b0000});
  options.kl_reward_coefficient = 0.5F;
  const Outcome with = run(options, {0b0001, 0b1111, 0b0000});
  EXPECT_EQ(with.stats.reference_kl, 0.0);
  EXPECT_TRUE(with.stats.has_reference);
  EXPECT_EQ(with.stats.trained_groups, 1);
  EXPECT_EQ(with.gradient, without.gradient);
}

// What dynamic sampling counts is what the update trains on.
TEST_F(GrpoGroups, RefillAndUpdateAgreeOnWhatContributes) {
  std::vector<ScoredGroup> groups = testing::make_groups(*make_policy(), {0b0000, 0b0011, 0b1111, 0b0101, 0b0110});
  for (Completion& completion : groups[3].group.completions) {
    completion.finish_reason = FinishReason::kLength;
  }
  for (Score& score : groups[4].scores) {
    score.unscored = &score == &groups[4].scores[1] ? score.unscored : std::optional<std::string>("a fault");
  }
  GrpoLearnerOptions options;
  options.zero_spread = ZeroSpread::kRefill;
  options.count_contributing_only = true;
  options.max_completion_tokens = 8;
  for (const std::int64_t zone : {0, 4}) {
    for (const bool filter : {false, true}) {
      options.overlong.zone = zone;
      options.filter_overlong = filter;
      std::vector<TrainedGroup> trained = trained_groups(groups);
      prepare_update(trained, options);
      for (std::size_t g = 0; g < groups.size(); ++g) {
        const bool expected = g == 1 || (g == 3 && !filter);
        EXPECT_EQ(has_spread(groups[g], options), expected) << g << ", zone " << zone << ", filter " << filter;
        EXPECT_EQ(!trained[g].completions.empty(), expected) << g << ", zone " << zone << ", filter " << filter;
      }
    }
  }
}

// Without it the groups that have something to teach would all fall on the first of two updates.
TEST_F(GrpoGroups, MiniBatchesShareOutTheGroupsThatAreTrainedOn) {
  const std::vector<unsigned> every_other = {0b0001, 0b0000, 0b0011, 0b1111, 0b0111, 0b0000, 0b0110, 0b1111};
  for (const bool contributing : {false, true}) {
    GrpoLearnerOptions options;
    options.mini_batches = 2;
    options.count_contributing_only = contributing;
    EXPECT_EQ(run(options, every_other).stats.num_updates, 2);
    options.mini_batches = 4;
    EXPECT_EQ(run(options, every_other).stats.num_updates, 4);
    options.zero_spread = ZeroSpread::kKeep;
    EXPECT_EQ(run(options, every_other).stats.num_updates, 4);
  }
}

// Denominators of each mini-batch are of its own groups: 0 and 4, that are trained on, and 3 in the first of two.
TEST_F(GrpoGroups, SkippedGroupsAreDealtOutAfterThoseThatAreTrainedOn) {
  const std::vector<ScoredGroup> groups =
      testing::make_groups(*make_policy(), {0b0001, 0b0000, 0b0011, 0b1111, 0b0111, 0b0000});
  const auto tokens = [&](std::initializer_list<std::size_t> of) {
    double sum = 0;
    for (const std::size_t g : of) {
      for (const Completion& completion : groups[g].group.completions) {
        sum += static_cast<double>(completion.token_ids.size());
      }
    }
    return sum;
  };
  GrpoLearnerOptions options;
  options.mini_batches = 2;
  for (const bool contributing : {false, true}) {
    options.count_contributing_only = contributing;
    std::vector<TrainedGroup> trained = trained_groups(groups);
    prepare_update(trained, options);
    EXPECT_EQ(trained[0].completions[0].denominator, contributing ? tokens({0, 4}) : tokens({0, 4, 3}));
    EXPECT_EQ(trained[4].completions[0].denominator, contributing ? tokens({0, 4}) : tokens({0, 4, 3}));
    EXPECT_EQ(trained[2].completions[0].denominator, contributing ? tokens({2}) : tokens({2, 1, 5}));
  }
}

// The quantile is over the optimizer batch, whether or not a group of it is computed.
TEST_F(GrpoGroups, SkippingChangesNoEntropyMask) {
  for (const float share : {0.2F, 0.5F}) {
    GrpoLearnerOptions options;
    options.high_entropy_share = share;
    const std::vector<unsigned> patterns = {0b0001, 0b0110, 0b1111, 0b0111, 0b0000};
    const Outcome skipped = run(options, patterns);
    EXPECT_EQ(skipped.stats.trained_groups, 3);
    options.zero_spread = ZeroSpread::kKeep;
    const Outcome kept = run(options, patterns);
    EXPECT_EQ(kept.stats.trained_groups, 5);
    expect_close(skipped.gradient, kept.gradient, 1e-5);
  }
}

}  // namespace
}  // namespace plumb
