#include "learner/step_labels.h"

#include <gtest/gtest.h>

namespace plumb {
namespace {

// Four completions: "a" begins all but the last, "a b" two, one right and one wrong.
TEST(StepLabels, AreSharesOfWhatBeginsAlike) {
  const std::vector<JudgedText> completions = {
      {"a\nb\nc", true}, {"a\nb\nd", false}, {"a\ne", true}, {"f\nb\nc", false}};
  const auto labels = step_labels(completions);
  ASSERT_EQ(labels.size(), 4U);
  const double third = 2.0 / 3;
  EXPECT_EQ(labels[0].labels, (std::vector<double>{third, 0.5, 1}));
  EXPECT_EQ(labels[0].completions, (std::vector<std::int64_t>{3, 2, 1}));
  EXPECT_EQ(labels[0].ends, (std::vector<std::size_t>{2, 4, 5}));
  EXPECT_EQ(labels[1].labels, (std::vector<double>{third, 0.5, 0}));
  EXPECT_EQ(labels[2].labels, (std::vector<double>{third, 1}));
  EXPECT_EQ(labels[3].labels, (std::vector<double>{0, 0, 0}));  // the same lines behind another one are other steps
}

// What was sampled twice counts twice; where it ends, only what ends there counts.
TEST(StepLabels, CountSamplesAndTellAnEndFromABeginning) {
  const std::vector<JudgedText> completions = {{"a\nb", true}, {"a\nb", true}, {"a\nb\n", true}, {"a\nb\nc", false}};
  const auto labels = step_labels(completions);
  EXPECT_EQ(labels[0].labels, (std::vector<double>{0.75, 1}));
  EXPECT_EQ(labels[0].completions, (std::vector<std::int64_t>{4, 2}));
  EXPECT_EQ(labels[2].labels, (std::vector<double>{0.75, 1}));
  EXPECT_EQ(labels[3].labels, (std::vector<double>{0.75, 0, 0}));  // "b\n" of the third is its last step
  EXPECT_TRUE(step_labels(std::vector<JudgedText>{{"", true}}).front().labels.empty());
}

}  // namespace
}  // namespace plumb
