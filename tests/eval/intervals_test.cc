#include "eval/intervals.h"

#include <gtest/gtest.h>

#include <cmath>

#include "eval/pass_at_k.h"

namespace plumb {
namespace {

// Twenty differences, skewed to the right as real ones are.
const std::vector<double> kDifferences = {0.25,   0,     0,     0.5, -0.25, 0.75, 0, 0.25, 0.5, 0,
                                          -0.125, 0.375, 0.125, 0,   1.0,   0.25, 0, 0,    0.5, 0.125};

TEST(PassAtK, AgainstTheBinomialsWorkedOut) {
  EXPECT_DOUBLE_EQ(pass_at_k(8, 1, 1), 0.125);
  EXPECT_DOUBLE_EQ(pass_at_k(8, 1, 8), 1.0);
  EXPECT_DOUBLE_EQ(pass_at_k(8, 2, 4), 1 - 15.0 / 70);
  EXPECT_DOUBLE_EQ(pass_at_k(10, 3, 5), 1 - 21.0 / 252);
  EXPECT_DOUBLE_EQ(pass_at_k(4, 0, 4), 0.0);
  EXPECT_NEAR(pass_at_k(200, 7, 100), 0.9929911172418123, 1e-14);
}

// Expected values from scipy.stats 1.x: t.interval(0.95, 19, mean, sem).
TEST(Intervals, StudentAgainstScipy) {
  const Interval interval = t_interval(kDifferences);
  EXPECT_DOUBLE_EQ(interval.mean, 0.2125);
  EXPECT_NEAR(interval.low, 0.06658458571356374, 1e-12);
  EXPECT_NEAR(interval.high, 0.35841541428643625, 1e-12);
}

// Expected values from scipy.stats.bootstrap(method="BCa", n_resamples=200000), equal for two seeds. Means of these
// values lie 1/160 apart, and 10000 resamples may miss the end by one such step.
TEST(Intervals, BcaAgainstScipy) {
  const Interval interval = bca_interval(kDifferences, 1);
  EXPECT_NEAR(interval.low, 0.1, 1.01 / 160);
  EXPECT_NEAR(interval.high, 0.36875, 1.01 / 160);
  std::vector<double> sparse(15, 0.0);
  sparse.insert(sparse.end(), {1, 1, 1, 0.5, -0.5});
  const Interval skewed = bca_interval(sparse, 1);
  EXPECT_NEAR(skewed.low, 0.0, 1.01 / 40);
  EXPECT_NEAR(skewed.high, 0.375, 1.01 / 40);
}

// Likewise, of 57 right among 77 things in eight families (paired = True): where families are of unequal size the ratio
// is not the mean of the families' ratios, which is 0.678 here.
TEST(Intervals, BcaOfARatioAgainstScipy) {
  const std::vector<double> right = {9, 3, 20, 0, 7, 5, 11, 2};
  const std::vector<double> all = {10, 8, 22, 3, 7, 9, 16, 2};
  const Interval interval = bca_ratio_interval(right, all);
  EXPECT_DOUBLE_EQ(interval.mean, 57.0 / 77);
  EXPECT_NEAR(interval.low, 0.560, 0.008);
  EXPECT_NEAR(interval.high, 0.885, 0.008);
  const std::vector<double> halves = {4, 1, 11};
  const std::vector<double> wholes = {8, 2, 22};
  EXPECT_EQ(bca_ratio_interval(halves, wholes).high, 0.5);
  EXPECT_TRUE(std::isnan(bca_ratio_interval(std::vector<double>{1}, std::vector<double>{4}).low));
}

TEST(Intervals, BcaRepeatsBitForBitAndDependsOnTheSeed) {
  const Interval first = bca_interval(kDifferences, 7);
  const Interval second = bca_interval(kDifferences, 7);
  EXPECT_EQ(first.low, second.low);
  EXPECT_EQ(first.high, second.high);
  EXPECT_LT(first.low, first.mean);
  EXPECT_GT(first.high, first.mean);
}

TEST(Intervals, DegenerateInputs) {
  const std::vector<double> equal(5, 0.25);
  const Interval flat = bca_interval(equal);
  EXPECT_EQ(flat.low, 0.25);
  EXPECT_EQ(flat.high, 0.25);
  const std::vector<double> one = {0.5};
  EXPECT_EQ(bca_interval(one).mean, 0.5);
  EXPECT_TRUE(std::isnan(bca_interval(one).low));
  EXPECT_TRUE(std::isnan(t_interval({}).mean));
}

// Known coverage: of 200 normal samples of 20, about 95 % of the intervals hold the true mean 0.
TEST(Intervals, BcaCoversTheTruth) {
  int covered = 0;
  constexpr int kTrials = 200;
  for (int trial = 0; trial < kTrials; ++trial) {
    // A fixed low-discrepancy set of normal quantiles, shifted per trial: sum of 12 scrambled uniforms.
    std::vector<double> values;
    for (int i = 0; i < 20; ++i) {
      double sum = 0;
      for (int j = 0; j < 12; ++j) {
        const double x = std::sin(12.9898 * (trial * 240 + i * 12 + j) + 78.233) * 43758.5453;
        sum += x - std::floor(x);
      }
      values.push_back(sum - 6);
    }
    const Interval interval = bca_interval(values, 1, 0.95, 400);
    covered += interval.low <= 0 && 0 <= interval.high ? 1 : 0;
  }
  EXPECT_GE(covered, 176);  // 95 % less 4.5 standard errors, and BCa's known shortfall at n = 20
}

TEST(Intervals, SignTestAgainstScipyBinomtest) {
  EXPECT_NEAR(sign_test(12, 3), 0.03515625, 1e-12);
  EXPECT_NEAR(sign_test(3, 5), 0.7265625, 1e-12);
  EXPECT_EQ(sign_test(4, 4), 1.0);
  EXPECT_EQ(sign_test(0, 0), 1.0);
}

}  // namespace
}  // namespace plumb
