#include "learner/advantages.h"

#include <gtest/gtest.h>

#include <cmath>

namespace plumb {
namespace {

using Rewards = std::vector<std::optional<double>>;

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
  for (const bool scale : {true, false}) {
    float sum = 0;
    for (const float advantage : group_advantages(rewards, {.scale_by_std = scale}).advantages) {
      sum += advantage;
    }
    EXPECT_NEAR(sum, 0.0F, 1e-6F);
  }
}

TEST(GroupAdvantages, WithoutStdTheyAreCentredRewards) {
  const Rewards rewards = {1.0, 0.0};
  const GroupAdvantages result = group_advantages(rewards, {.scale_by_std = false});
  EXPECT_FLOAT_EQ(result.advantages[0], 0.5F);
  EXPECT_FLOAT_EQ(result.advantages[1], -0.5F);
}

TEST(GroupAdvantages, NoSpreadMeansNoAdvantage) {
  const Rewards rewards = {1.0, 1.0, 1.0};
  const GroupAdvantages result = group_advantages(rewards, {});
  EXPECT_FALSE(result.has_spread);
  EXPECT_EQ(result.advantages, std::vector<float>(3, 0.0F));
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

}  // namespace
}  // namespace plumb
