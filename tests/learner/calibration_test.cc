#include "learner/calibration.h"

#include <gtest/gtest.h>

#include <cmath>

namespace plumb {
namespace {

// Order statistics 0, 1, ..., 10: the 5 % quantile lies halfway between the first two.
TEST(Margins, SummaryIsHandWorked) {
  std::vector<double> margins;
  for (int i = 10; i >= 0; --i) {
    margins.push_back(i);
  }
  const MarginSummary summary = summary_of(margins);
  EXPECT_DOUBLE_EQ(summary.mean, 5);
  EXPECT_DOUBLE_EQ(summary.p5, 0.5);
  EXPECT_DOUBLE_EQ(summary.p50, 5);
  EXPECT_DOUBLE_EQ(summary.p95, 9.5);
  EXPECT_DOUBLE_EQ(summary_of({-2.0}).p5, -2);
  EXPECT_TRUE(std::isnan(summary_of({}).mean));
}

// Bins [0, 1/2) and [1/2, 1]: 0.1 and 0.3 where 0 and 1 passed, 1 where all did: |0.2 - 0.5| 2/3.
TEST(Calibration, OfRatesIsHandWorked) {
  const std::vector<double> predicted = {0.1, 0.3, 1.0};
  const Calibration calibration = calibration_of_rates(predicted, std::vector<double>{0, 1, 1}, 2);
  EXPECT_EQ(calibration.bins[0].count, 2);
  EXPECT_NEAR(calibration.bins[0].confidence, 0.2, 1e-15);
  EXPECT_NEAR(calibration.bins[0].accuracy, 0.5, 1e-15);
  EXPECT_NEAR(calibration.error, 0.2, 1e-15);
}

// Margins log 3 (confidence 3/4) twice right and once wrong, and 0+ (confidence 1/2) right: bins [1/2, 3/4), [3/4, 1].
TEST(Calibration, HandWorked) {
  const double margin = std::log(3.0) + 1e-9;
  const Calibration calibration = calibration_of(std::vector<double>{margin, margin, -margin, 1e-9}, 2);
  EXPECT_EQ(calibration.bins[0].count, 1);
  EXPECT_EQ(calibration.bins[1].count, 3);
  EXPECT_NEAR(calibration.bins[1].confidence, 0.75, 1e-6);
  EXPECT_NEAR(calibration.bins[1].accuracy, 2.0 / 3, 1e-12);
  EXPECT_NEAR(calibration.error, 0.25 * 0.5 + 0.75 * (0.75 - 2.0 / 3), 1e-6);
}

// Positives 0.9 and 0.4 against negatives 0.4 and 0.1: above both; above one and even with the other.
TEST(AreaUnderRoc, HandWorked) {
  EXPECT_DOUBLE_EQ(area_under_roc(std::vector<double>{0.4, 0.9, 0.1, 0.4}, {false, true, false, true}), 3.5 / 4);
  EXPECT_DOUBLE_EQ(area_under_roc(std::vector<double>{1, 2}, {true, false}), 0);
  EXPECT_TRUE(std::isnan(area_under_roc(std::vector<double>{1, 2}, {true, true})));
}

}  // namespace
}  // namespace plumb
