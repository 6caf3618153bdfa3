#include "learner/step_advantages.h"

#include <gtest/gtest.h>

#include <cmath>

namespace plumb {
namespace {

// Scores 1 and 0 of one completion, 0 and 3 of another: mean 1, squares 0 + 1 + 1 + 4 = 6, variance (ddof 1) 2. In
// units of 1 / sqrt(2) the steps are worth 0 and -1, -1 and 2.
TEST(StepAdvantages, HandWorkedGroup) {
  const std::vector<StepScores> group = {{{1, 0}, {2, 3}, 3}, {{0, 3}, {1, 3}, 4}};
  const auto advantages = step_advantages(group, {.std_epsilon = 0.0F});
  const auto unit = static_cast<float>(std::sqrt(0.5));
  const std::vector<std::vector<float>> units = {{-1, -1, -1}, {1, 2, 2, 0}};  // the last token is of no step
  ASSERT_EQ(advantages.size(), units.size());
  for (std::size_t i = 0; i < units.size(); ++i) {
    ASSERT_EQ(advantages[i].size(), units[i].size());
    for (std::size_t t = 0; t < units[i].size(); ++t) {
      EXPECT_FLOAT_EQ(advantages[i][t], units[i][t] * unit) << "completion " << i << ", token " << t;
    }
  }
}

// One step each, ending with the completion: outcome supervision, by the mean alone, too.
TEST(StepAdvantages, OneStepEachIsAnOutcome) {
  for (const AdvantageKind kind : {AdvantageKind::kGroupStd, AdvantageKind::kNoStd}) {
    const AdvantageOptions options = {.kind = kind};
    const auto tokens = step_advantages(std::vector<StepScores>{{{1}, {2}, 2}, {{0}, {3}, 3}, {{0}, {1}, 1}}, options);
    const GroupAdvantages outcomes = group_advantages(Rewards{1.0, 0.0, 0.0}, options);
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      for (const float advantage : tokens[i]) {
        EXPECT_EQ(advantage, outcomes.advantages[i]);
      }
    }
  }
}

TEST(StepAdvantages, NoSpreadAndNoStepsAreNothing) {
  const std::vector<StepScores> equal = {{{0.5, 0.5}, {1, 2}, 2}, {{0.5}, {1}, 1}};
  const std::vector<std::vector<float>> zeros = {{0, 0}, {0}};
  EXPECT_EQ(step_advantages(equal, {}), zeros);
  EXPECT_EQ(step_advantages(std::vector<StepScores>{{{0.5, 0.54}, {1, 2}, 2}}, {.min_spread = 0.05F}),
            (std::vector<std::vector<float>>{{0, 0}}));
  EXPECT_EQ(step_advantages(std::vector<StepScores>{{{}, {}, 2}, {{1, 0}, {1, 2}, 2}}, {}).front(),
            (std::vector<float>{0, 0}));
}

}  // namespace
}  // namespace plumb
