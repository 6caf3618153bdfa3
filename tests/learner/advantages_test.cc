#include "learner/advantages.h"

#include <gtest/gtest.h>

#include <cmath>

namespace plumb {
namespace {

TEST(GroupAdvantages, HandWorkedGroup) {
  // Rewards 1 0 0 0: mean 1/4, sum of squares 9/16 + 3/16 = 3/4, variance (ddof 1) 1/4, std 1/2.
  const Rewards rewards = {1.0, 0.0, 0.0, 0.0};
  const GroupAdvantages result = group_advantages(rewards, {.std_epsilon = 0.0F});
  EXPECT_EQ(result.num_scored, 4);
  EXPECT_DOUBLE_EQ(result.mean, 0.25);
  EXPECT_DOUBLE_EQ(result.std, 0.5);
  EXPECT_TRUE(result.has_spread);
  EXPECT_FLOAT_EQ(result.advantages[0], 1.5F);
  EXPECT_FLOAT_EQ(result.advantages[1], -0.5F);
}

TEST(GroupAdvantages, EpsilonIsAddedToTheStandardDeviation) {
  const Rewards rewards = {1.0, 0.0, 0.0, 0.0};
  const GroupAdvantages result = group_advantages(rewards, {.std_epsilon = 0.5F});
  EXPECT_FLOAT_EQ(result.advantages[0], 0.75F);
}

TEST(GroupAdvantages, SumToZero) {
  const Rewards rewards = {1.0, 0.25, 0.5, 0.0, 0.125};
  for (const AdvantageKind kind : {AdvantageKind::kGroupStd, AdvantageKind::kNoStd}) {
    float sum = 0;
    for (const float advantage : group_advantages(rewards, {.kind = kind}).advantages) {
      sum += advantage;
    }
    EXPECT_NEAR(sum, 0.0F, 1e-6F);
  }
}

TEST(GroupAdvantages, WithoutStdTheyAreCentredRewards) {
  const Rewards rewards = {1.0, 0.0, 1.0, 0.0, 0.0};  // mean 2/5
  const GroupAdvantages result = group_advantages(rewards, {.kind = AdvantageKind::kNoStd});
  EXPECT_FLOAT_EQ(result.advantages[0], 0.6F);
  EXPECT_FLOAT_EQ(result.advantages[1], -0.4F);
}

TEST(GroupAdvantages, NoSpreadMeansNoAdvantage) {
  const Rewards rewards = {1.0, 1.0, 1.0};
  const GroupAdvantages result = group_advantages(rewards, {});
  EXPECT_FALSE(result.has_spread);
  EXPECT_EQ(result.advantages, std::vector<float>(3, 0.0F));
}

TEST(GroupAdvantages, ARewardThatIsNoNumberIsNotTakenForNoSpread) {
  for (const double fault : {std::nan(""), HUGE_VAL, -HUGE_VAL}) {
    const Rewards rewards = {1.0, fault, 1.0};
    const GroupAdvantages result = group_advantages(rewards, {});
    EXPECT_TRUE(result.has_spread);
    EXPECT_FALSE(std::isfinite(result.advantages[1]));
  }
}

TEST(GroupAdvantages, FloatNoiseIsNoSpreadUnderAMinimum) {
  const Rewards rewards = {0.3, 0.1 + 0.2, 0.3};
  EXPECT_TRUE(group_advantages(rewards, {}).has_spread);  // the noise is real without a minimum
  EXPECT_FALSE(group_advantages(rewards, {.min_spread = 1e-6F}).has_spread);
}

TEST(GroupAdvantages, AnUnscoredCompletionTakesNoPart) {
  const Rewards with = {1.0, std::nullopt, 0.0};
  const Rewards without = {1.0, 0.0};
  const GroupAdvantages a = group_advantages(with, {});
  const GroupAdvantages b = group_advantages(without, {});
  EXPECT_EQ(a.num_scored, 2);
  EXPECT_EQ(a.advantages[0], b.advantages[0]);
  EXPECT_EQ(a.advantages[1], 0.0F);
  EXPECT_EQ(a.advantages[2], b.advantages[1]);
}

TEST(GroupAdvantages, FewerThanTwoScoresDropTheGroup) {
  EXPECT_FALSE(group_advantages(Rewards{1.0, std::nullopt}, {}).has_spread);
  EXPECT_FALSE(group_advantages(Rewards{std::nullopt, std::nullopt}, {}).has_spread);
  EXPECT_FALSE(group_advantages(Rewards{}, {}).has_spread);
}

TEST(GroupAdvantages, SmallDeviationCountsAsTheFloor) {
  const Rewards rewards = {0.5, 0.5 + 0x1p-10, 0.5, 0.5};  // std 2^-11, the second is 3/4 2^-10 above the mean
  const GroupAdvantages result = group_advantages(rewards, {.std_epsilon = 0.0F, .std_floor = 0x1p-4F});
  EXPECT_FLOAT_EQ(result.advantages[1], 0.75F * 0x1p-10F * 0x1p4F);
  EXPECT_FLOAT_EQ(group_advantages(rewards, {.std_epsilon = 0.0F}).advantages[1], 1.5F);
}

TEST(GroupAdvantages, LeaveOneOutIsTheRewardLessTheMeanOfTheOthers) {
  const Rewards rewards = {1.0, 0.0, std::nullopt, 0.5};
  const GroupAdvantages result = group_advantages(rewards, {.kind = AdvantageKind::kLeaveOneOut});
  EXPECT_FLOAT_EQ(result.advantages[0], 1.0F - (0.0F + 0.5F) / 2);
  EXPECT_FLOAT_EQ(result.advantages[1], 0.0F - (1.0F + 0.5F) / 2);
  EXPECT_EQ(result.advantages[2], 0.0F);
  EXPECT_NEAR(result.advantages[3], 0.5F - (1.0F + 0.0F) / 2, 1e-7F);
}

// Two groups, rewards 1 0 and 1 1: batch mean 3/4, variance (ddof 1) (3 / 16 + 9 / 16) / 3 = 1/4, std 1/2. Centred by
// group: 1/2 -1/2 0 0, variance 1/6.
const std::vector<Rewards> kTwoGroups = {{1.0, 0.0}, {1.0, 1.0}};

TEST(BatchAdvantages, BatchStdDividesWhatTheGroupCentres) {
  const auto all = batch_advantages(kTwoGroups, {.kind = AdvantageKind::kBatchStd, .std_epsilon = 0.0F});
  EXPECT_EQ(all[0].advantages, (std::vector<float>{1.0F, -1.0F}));
  EXPECT_EQ(all[1].advantages, (std::vector<float>{0.0F, 0.0F}));
  EXPECT_FALSE(all[1].has_spread);
}

TEST(BatchAdvantages, ReinforcePlusPlusComparesWithTheWholeBatch) {
  const auto all = batch_advantages(kTwoGroups, {.kind = AdvantageKind::kReinforcePp, .std_epsilon = 0.0F});
  EXPECT_EQ(all[0].advantages, (std::vector<float>{0.5F, -1.5F}));
  EXPECT_EQ(all[1].advantages, (std::vector<float>{0.5F, 0.5F}));
  EXPECT_FALSE(all[1].has_spread);
  EXPECT_TRUE(all[1].has_advantages) << "it teaches, though its rewards are equal";
}

TEST(BatchAdvantages, ReinforcePlusPlusBaselineWhitensTheCentredRewards) {
  const auto all = batch_advantages(kTwoGroups, {.kind = AdvantageKind::kReinforcePpBaseline, .std_epsilon = 0.0F});
  EXPECT_FLOAT_EQ(all[0].advantages[0], static_cast<float>(0.5 * std::sqrt(6.0)));
  EXPECT_FLOAT_EQ(all[0].advantages[1], static_cast<float>(-0.5 * std::sqrt(6.0)));
  EXPECT_EQ(all[1].advantages, (std::vector<float>{0.0F, 0.0F}));
}

// A completion that is alone is dropped, and with it the 0 that it differs from itself by.
TEST(BatchAdvantages, WhatIsDroppedIsInNoDeviation) {
  std::vector<Rewards> groups = kTwoGroups;
  groups.push_back({0.0, std::nullopt});
  groups.push_back({std::nullopt, std::nullopt});
  for (const auto kind : {AdvantageKind::kBatchStd, AdvantageKind::kReinforcePpBaseline}) {
    const auto all = batch_advantages(groups, {.kind = kind});
    EXPECT_EQ(all[0].advantages, batch_advantages(kTwoGroups, {.kind = kind})[0].advantages);
    EXPECT_EQ(all[2].advantages, std::vector<float>(2, 0.0F));
  }
  const auto all = batch_advantages(groups, {.kind = AdvantageKind::kReinforcePp, .std_epsilon = 0.0F});
  EXPECT_FLOAT_EQ(all[2].advantages[0], static_cast<float>(-0.6 / std::sqrt(0.3))) << "trained on, so it counts";
}

// Scores that tie are compared by their shaping alone, in its own size.
TEST(GroupAdvantages, ShapingOfATieIsNotDivided) {
  const Rewards tied = {1.0, 1.0, std::nullopt, 1.0};
  const std::vector<double> shaping = {-0.75, 0, -9, 0};
  for (const auto& [kind, first] : {std::pair{AdvantageKind::kGroupStd, -0.5F}, std::pair{AdvantageKind::kNoStd, -0.5F},
                                    std::pair{AdvantageKind::kLeaveOneOut, -0.75F}}) {
    const GroupAdvantages result = group_advantages(tied, {.kind = kind}, shaping);
    EXPECT_FALSE(result.has_spread);
    EXPECT_TRUE(result.has_advantages);
    EXPECT_FLOAT_EQ(result.advantages[0], first);
    EXPECT_FLOAT_EQ(result.advantages[1], -first / 2);
    EXPECT_EQ(result.advantages[2], 0.0F);
    EXPECT_FALSE(group_advantages(tied, {.kind = kind}, std::vector<double>(4, -0.3)).has_advantages);
  }
}

TEST(GroupAdvantages, ShapingIsPartOfARewardWhereScoresDiffer) {
  const Rewards scores = {1.0, 0.0, 0.0};
  const std::vector<double> shaping = {-0.5, 0, 0.25};
  EXPECT_EQ(group_advantages(scores, {}, shaping).advantages, group_advantages(Rewards{0.5, 0.0, 0.25}, {}).advantages);
  // It may take away all difference; then there is nothing to divide.
  const std::vector<double> level = {-1, 0, 0};
  EXPECT_EQ(group_advantages(scores, {.std_epsilon = 0.0F}, level).advantages, std::vector<float>(3, 0.0F));
}

TEST(GroupAdvantages, ShapingThatIsNoNumberIsSeen) {
  const std::vector<double> shaping = {0, std::nan(""), 0};
  EXPECT_FALSE(std::isfinite(group_advantages(Rewards{1.0, 1.0, 1.0}, {}, shaping).advantages[0]));
}

// As kTwoGroups, with shaping in the tied group alone: rewards 1 0 and 1 1/2, batch mean 5/8, variance 11/48; centred
// by group 1/2 -1/2 1/4 -1/4, variance 5/24.
TEST(BatchAdvantages, ShapingOfATieIsDividedAsTheOthersAre) {
  const std::vector<std::vector<double>> shaping = {{0, 0}, {0, -0.5}};
  const auto second = [&](AdvantageKind kind, const std::vector<Rewards>& groups) {
    return batch_advantages(groups, {.kind = kind, .std_epsilon = 0.0F}, shaping)[1].advantages[1];
  };
  const std::vector<Rewards> tied = {{1.0, 1.0}, {1.0, 1.0}};  // nothing but shaping: not divided
  EXPECT_FLOAT_EQ(second(AdvantageKind::kBatchStd, kTwoGroups), static_cast<float>(-0.25 / std::sqrt(11.0 / 48)));
  EXPECT_FLOAT_EQ(second(AdvantageKind::kBatchStd, tied), -0.25F);
  EXPECT_FLOAT_EQ(second(AdvantageKind::kReinforcePpBaseline, kTwoGroups),
                  static_cast<float>(-0.25 / std::sqrt(5.0 / 24)));
  EXPECT_FLOAT_EQ(second(AdvantageKind::kReinforcePpBaseline, tied), -0.25F);
  EXPECT_FLOAT_EQ(second(AdvantageKind::kReinforcePp, kTwoGroups), static_cast<float>(-0.125 / std::sqrt(11.0 / 48)));
  EXPECT_FLOAT_EQ(second(AdvantageKind::kReinforcePp, tied), -0.375F);
}

TEST(BatchAdvantages, OneMindInTheWholeBatchTeachesNothing) {
  const std::vector<Rewards> groups = {{1.0, 1.0}, {1.0, std::nullopt}};
  for (const auto kind : {AdvantageKind::kBatchStd, AdvantageKind::kReinforcePp, AdvantageKind::kReinforcePpBaseline}) {
    for (const GroupAdvantages& group : batch_advantages(groups, {.kind = kind})) {
      EXPECT_FALSE(group.has_advantages);
      EXPECT_EQ(group.advantages, std::vector<float>(2, 0.0F));
    }
  }
}

TEST(BatchAdvantages, FormsOfOneGroupAreThatGroupsAlone) {
  for (const auto kind : {AdvantageKind::kGroupStd, AdvantageKind::kNoStd, AdvantageKind::kLeaveOneOut}) {
    const auto all = batch_advantages(kTwoGroups, {.kind = kind});
    EXPECT_EQ(all[0].advantages, group_advantages(kTwoGroups[0], {.kind = kind}).advantages);
  }
}

}  // namespace
}  // namespace plumb
