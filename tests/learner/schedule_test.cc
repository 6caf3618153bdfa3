#include "learner/schedule.h"

#include <gtest/gtest.h>

namespace plumb {
namespace {

TEST(Schedule, WarmUpThenLinearToZero) {
  const Schedule schedule{.peak = 1.0F, .warmup_steps = 4, .total_steps = 14, .decay = Decay::kLinear};
  EXPECT_FLOAT_EQ(learning_rate(schedule, 0), 0.25F);
  EXPECT_FLOAT_EQ(learning_rate(schedule, 3), 1.0F);
  EXPECT_FLOAT_EQ(learning_rate(schedule, 4), 1.0F);
  EXPECT_FLOAT_EQ(learning_rate(schedule, 9), 0.5F);
  EXPECT_FLOAT_EQ(learning_rate(schedule, 14), 0.0F);
  EXPECT_FLOAT_EQ(learning_rate(schedule, 99), 0.0F);
}

TEST(Schedule, CosineEndsAtItsFloor) {
  const Schedule schedule{.peak = 2.0F, .total_steps = 10, .decay = Decay::kCosine, .final_fraction = 0.1F};
  EXPECT_FLOAT_EQ(learning_rate(schedule, 0), 2.0F);
  EXPECT_FLOAT_EQ(learning_rate(schedule, 5), 1.1F);
  EXPECT_FLOAT_EQ(learning_rate(schedule, 10), 0.2F);
}

TEST(Schedule, WarmUpStableDecayFallsOverTheLastShare) {
  const Schedule schedule{.peak = 1.0F,
                          .warmup_steps = 2,
                          .total_steps = 12,
                          .decay = Decay::kWsd,
                          .final_fraction = 0.1F,
                          .decay_share = 0.4F};
  EXPECT_FLOAT_EQ(learning_rate(schedule, 0), 0.5F);
  EXPECT_FLOAT_EQ(learning_rate(schedule, 2), 1.0F);
  EXPECT_FLOAT_EQ(learning_rate(schedule, 8), 1.0F);
  EXPECT_FLOAT_EQ(learning_rate(schedule, 10), 0.55F);
  EXPECT_FLOAT_EQ(learning_rate(schedule, 12), 0.1F);
  EXPECT_FLOAT_EQ(learning_rate(schedule, 20), 0.1F);
}

TEST(Schedule, ConstantStays) {
  const Schedule schedule{.peak = 3.0F, .total_steps = 2};
  EXPECT_FLOAT_EQ(learning_rate(schedule, 0), 3.0F);
  EXPECT_FLOAT_EQ(learning_rate(schedule, 50), 3.0F);
}

}  // namespace
}  // namespace plumb
