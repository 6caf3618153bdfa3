#include "learner/reward_model.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/random_model.h"

namespace plumb {
namespace {

RewardPair pair_of(double margin, bool tie = false) {
  RewardPair pair;
  pair.margin = margin;
  pair.tie = tie;
  return pair;
}

TEST(BradleyTerry, HandWorked) {
  // chosen - rejected - margin = 0: loss log 2, slope 1/2 each way.
  const PairLoss even = bradley_terry(3, 1, pair_of(2), 0);
  EXPECT_NEAR(even.loss, std::log(2.0), 1e-15);
  EXPECT_NEAR(even.d_chosen, -0.5, 1e-15);
  EXPECT_NEAR(even.d_rejected, 0.5, 1e-15);
  // Centring alone: 0.01 (3 + 1)^2.
  EXPECT_NEAR(bradley_terry(3, 1, pair_of(2), 0.01).loss - even.loss, 0.16, 1e-15);
  // A tie is even however it is turned.
  EXPECT_NEAR(bradley_terry(2, -1, pair_of(0, true), 0).loss, bradley_terry(-1, 2, pair_of(0, true), 0).loss, 1e-15);
  EXPECT_EQ(bradley_terry(1, 1, pair_of(0, true), 0).d_chosen, 0.0);
  // Far apart: no overflow.
  EXPECT_EQ(bradley_terry(1000, -1000, {}, 0).loss, 0.0);
  EXPECT_EQ(bradley_terry(-1000, 1000, {}, 0).loss, 2000.0);
}

TEST(BradleyTerry, DerivativesAreThoseOfTheLoss) {
  for (const bool tie : {false, true}) {
    const RewardPair pair = pair_of(0.3, tie);
    for (const double chosen : {-1.2, 0.4, 2.0}) {
      const double rejected = 0.7;
      constexpr double kStep = 1e-6;
      const PairLoss at = bradley_terry(chosen, rejected, pair, 0.02);
      const auto loss = [&](double a, double b) { return bradley_terry(a, b, pair, 0.02).loss; };
      EXPECT_NEAR(at.d_chosen, (loss(chosen + kStep, rejected) - loss(chosen - kStep, rejected)) / (2 * kStep), 1e-8);
      EXPECT_NEAR(at.d_rejected, (loss(chosen, rejected + kStep) - loss(chosen, rejected - kStep)) / (2 * kStep), 1e-8);
    }
  }
}

TEST(PassRateLoss, HandWorked) {
  const auto cross_entropy = [](double reward, double rate) {
    return pass_rate_loss(reward, rate, RewardObjective::kClassification);
  };
  const auto squared = [](double reward, double rate) {
    return pass_rate_loss(reward, rate, RewardObjective::kRegression);
  };
  EXPECT_NEAR(cross_entropy(0, 1).loss, std::log(2.0), 1e-15);
  EXPECT_NEAR(cross_entropy(0, 0.25).d_reward, 0.25, 1e-15);
  // sigmoid(log 3) = 3/4: (3/4 - 1/4)^2, and 2 (1/2) (3/4) (1/4).
  EXPECT_NEAR(squared(std::log(3.0), 0.25).loss, 0.25, 1e-15);
  EXPECT_NEAR(squared(std::log(3.0), 0.25).d_reward, 3.0 / 16, 1e-15);
  // A hopeless reward still moves by cross-entropy, not by squared error; neither overflows.
  EXPECT_EQ(cross_entropy(-1000, 1).loss, 1000.0);
  EXPECT_EQ(squared(-1000, 1).loss, 1.0);
}

TEST(PassRateLoss, DerivativesAreThoseOfTheLossAndVanishAtTheLogOdds) {
  for (const auto objective : {RewardObjective::kRegression, RewardObjective::kClassification}) {
    EXPECT_NEAR(pass_rate_loss(std::log(0.25 / 0.75), 0.25, objective).d_reward, 0, 1e-15);
    for (const double reward : {-2.0, 0.3, 1.7}) {
      for (const double rate : {0.0, 0.4, 1.0}) {
        constexpr double kStep = 1e-6;
        const double above = pass_rate_loss(reward + kStep, rate, objective).loss;
        const double below = pass_rate_loss(reward - kStep, rate, objective).loss;
        EXPECT_NEAR(pass_rate_loss(reward, rate, objective).d_reward, (above - below) / (2 * kStep), 1e-8);
      }
    }
  }
}

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

TEST(RewardModel, LearnsPairsAndAnySplitGivesTheSameGradients) {
  ThreadPool pool(1);
  const ModelConfig config = testing::small_config(true);
  std::vector<RewardPair> pairs;
  for (std::uint64_t i = 0; i < 6; ++i) {
    pairs.push_back({testing::random_tokens(config, 4, i), testing::random_tokens(config, 3, 100 + i),
                     testing::random_tokens(config, 5, 200 + i), 0.1, i == 5});
  }
  const JudgeTokens tokens{3, 4};
  const auto train = [&](std::int64_t micro_batch_tokens, int epochs, std::vector<RewardModelStep>& steps) {
    auto policy = Policy::create(config, testing::random_weights(config, 7),
                                 {.dtype = ComputeDtype::kF32, .pool = &pool, .trainable = true});
    Optimizer optimizer(**policy, pool, {});
    RewardModelOptions options;
    options.schedule.peak = 1e-3F;
    options.batch_size = 6;
    options.max_epochs = epochs;
    options.micro_batch_tokens = micro_batch_tokens;
    train_reward_model(**policy, optimizer, pairs, tokens, options, [&](const RewardModelStep& step) {
      steps.push_back(step);
      return true;
    });
    std::vector<double> margins;
    for (const RewardPair& pair : pairs) {
      const std::vector<std::vector<std::int32_t>> both = {pair.chosen, pair.rejected};
      const auto rewards = rewards_of_prompt(**policy, pair.prompt, both, tokens);
      margins.push_back(rewards[0] - rewards[1]);
    }
    return margins;
  };
  std::vector<RewardModelStep> whole;
  std::vector<RewardModelStep> split;
  const auto margins = train(4096, 40, whole);
  train(1, 1, split);
  EXPECT_NEAR(whole.front().grad_norm, split.front().grad_norm, 1e-5 * whole.front().grad_norm);
  EXPECT_NEAR(whole.front().loss, split.front().loss, 1e-9);
  EXPECT_LT(whole.back().loss, whole.front().loss / 2);
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_GT(margins[i], 0) << "pair " << i;
  }
}

TEST(RewardModel, LearnsPassRatesByBothLossesAndAnySplitGivesTheSameGradients) {
  ThreadPool pool(1);
  const ModelConfig config = testing::small_config(true);
  std::vector<RatedCompletion> rated;
  for (std::uint64_t i = 0; i < 5; ++i) {
    rated.push_back(
        {testing::random_tokens(config, 4, i), testing::random_tokens(config, 3, 100 + i), static_cast<double>(i) / 4});
  }
  const JudgeTokens tokens{3, 4};
  for (const auto objective : {RewardObjective::kRegression, RewardObjective::kClassification}) {
    const auto train = [&](std::int64_t micro_batch_tokens, int epochs, std::vector<RewardModelStep>& steps) {
      auto policy = Policy::create(config, testing::random_weights(config, 7),
                                   {.dtype = ComputeDtype::kF32, .pool = &pool, .trainable = true});
      Optimizer optimizer(**policy, pool, {});
      RewardModelOptions options;
      options.schedule.peak = 2e-3F;
      options.batch_size = 5;
      options.max_epochs = epochs;
      options.objective = objective;
      options.micro_batch_tokens = micro_batch_tokens;
      train_reward_model(**policy, optimizer, rated, tokens, options, [&](const RewardModelStep& step) {
        steps.push_back(step);
        return true;
      });
      double worst = 0;
      for (const RatedCompletion& one : rated) {
        const std::vector<std::vector<std::int32_t>> alone = {one.completion};
        const double reward = rewards_of_prompt(**policy, one.prompt, alone, tokens).front();
        worst = std::max(worst, std::abs(1 / (1 + std::exp(-reward)) - one.pass_rate));
      }
      return worst;
    };
    std::vector<RewardModelStep> whole;
    std::vector<RewardModelStep> split;
    EXPECT_LT(train(4096, 80, whole), 0.1);
    train(1, 1, split);
    EXPECT_NEAR(whole.front().grad_norm, split.front().grad_norm, 1e-5 * whole.front().grad_norm);
    EXPECT_NEAR(whole.front().loss, split.front().loss, 1e-9);
    EXPECT_LT(whole.back().squared_error, 0.01);
    EXPECT_EQ(whole.back().accuracy, 1);
    if (objective == RewardObjective::kRegression) {
      EXPECT_EQ(whole.back().loss, whole.back().squared_error);
    }
  }
}

}  // namespace
}  // namespace plumb
