#include "learner/reward_model.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>

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

constexpr JudgeTokens kTokens{3, 4};

struct Trained {
  std::unique_ptr<Policy> policy;
  std::vector<RewardModelStep> steps;
};

// Random weights after `epochs` updates on all examples.
template <typename Example>
Trained train(const std::vector<Example>& examples, RewardObjective objective, float rate, int epochs,
              std::int64_t micro_batch_tokens, ThreadPool& pool) {
  const ModelConfig config = testing::small_config(true);
  Trained trained;
  trained.policy = std::move(Policy::create(config, testing::random_weights(config, 7),
                                            {.dtype = ComputeDtype::kF32, .pool = &pool, .trainable = true}))
                       .value();
  Optimizer optimizer(*trained.policy, pool, {});
  RewardModelOptions options;
  options.schedule.peak = rate;
  options.batch_size = static_cast<int>(examples.size());
  options.max_epochs = epochs;
  options.objective = objective;
  options.micro_batch_tokens = micro_batch_tokens;
  train_reward_model(*trained.policy, optimizer, examples, kTokens, options, [&](const RewardModelStep& step) {
    trained.steps.push_back(step);
    return true;
  });
  return trained;
}

// The same in one micro-batch, whose first gradient is that of micro-batches of one example each.
template <typename Example>
Trained train_whole(const std::vector<Example>& examples, RewardObjective objective, float rate, int epochs,
                    ThreadPool& pool) {
  Trained whole = train(examples, objective, rate, epochs, 4096, pool);
  const RewardModelStep first = whole.steps.front();
  const RewardModelStep split = train(examples, objective, rate, 1, 1, pool).steps.front();
  EXPECT_NEAR(first.grad_norm, split.grad_norm, 1e-5 * first.grad_norm);
  EXPECT_NEAR(first.loss, split.loss, 1e-9);
  return whole;
}

TEST(RewardModel, LearnsPairsAndAnySplitGivesTheSameGradients) {
  ThreadPool pool(1);
  const ModelConfig config = testing::small_config(true);
  std::vector<RewardPair> pairs;
  for (std::uint64_t i = 0; i < 6; ++i) {
    pairs.push_back({testing::random_tokens(config, 4, i), testing::random_tokens(config, 3, 100 + i),
                     testing::random_tokens(config, 5, 200 + i), 0.1, i == 5});
  }
  const Trained whole = train_whole(pairs, RewardObjective::kPairs, 1e-3F, 40, pool);
  EXPECT_LT(whole.steps.back().loss, whole.steps.front().loss / 2);
  for (std::size_t i = 0; i < 5; ++i) {
    const std::vector<std::vector<std::int32_t>> both = {pairs[i].chosen, pairs[i].rejected};
    const auto rewards = rewards_of_prompt(*whole.policy, pairs[i].prompt, both, kTokens);
    EXPECT_GT(rewards[0], rewards[1]) << "pair " << i;
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
  for (const auto objective : {RewardObjective::kRegression, RewardObjective::kClassification}) {
    const Trained whole = train_whole(rated, objective, 2e-3F, 80, pool);
    for (const RatedCompletion& one : rated) {
      const std::vector<std::vector<std::int32_t>> alone = {one.completion};
      const double reward = rewards_of_prompt(*whole.policy, one.prompt, alone, kTokens).front();
      EXPECT_NEAR(1 / (1 + std::exp(-reward)), one.pass_rate, 0.1);
    }
    EXPECT_LT(whole.steps.back().squared_error, 0.01);
    EXPECT_EQ(whole.steps.back().accuracy, 1);
    if (objective == RewardObjective::kRegression) {
      EXPECT_EQ(whole.steps.back().loss, whole.steps.back().squared_error);
    }
  }
}

std::vector<double> rewards_of(Policy& policy, const SteppedCompletion& stepped, JudgeTokens tokens) {
  const std::vector<std::vector<std::int32_t>> completions(1, stepped.completion);
  const std::vector<std::vector<std::int64_t>> ends(1, stepped.ends);
  return step_rewards_of_prompt(policy, stepped.prompt, completions, ends, tokens).front();
}

// The reward of a step is read at its last token, and is what a completion that ends there would get.
TEST(RewardModel, StepsAreReadAtTheirEndsWhateverStandsBehind) {
  ThreadPool pool(1);
  const ModelConfig config = testing::small_config(true);
  auto policy =
      Policy::create(config, testing::random_weights(config, 7), {.dtype = ComputeDtype::kF32, .pool = &pool});
  const std::vector<std::int32_t> prompt = testing::random_tokens(config, 4, 1);
  const std::vector<std::int32_t> completion = testing::random_tokens(config, 7, 2);
  const std::vector<std::vector<std::int32_t>> both = {testing::random_tokens(config, 5, 3), completion};
  const auto steps =
      step_rewards_of_prompt(**policy, prompt, both, std::vector<std::vector<std::int64_t>>{{5}, {2, 3, 7}}, kTokens);
  ASSERT_EQ(steps.size(), 2U);
  ASSERT_EQ(steps[1].size(), 3U);
  for (const auto& [step, end] : {std::pair(0, 2), std::pair(1, 3), std::pair(2, 7)}) {
    const std::vector<std::vector<std::int32_t>> alone = {{completion.begin(), completion.begin() + end}};
    EXPECT_EQ(steps[1][static_cast<std::size_t>(step)], rewards_of_prompt(**policy, prompt, alone, kTokens).front());
  }
}

TEST(RewardModel, LearnsStepsAndAnySplitGivesTheSameGradients) {
  ThreadPool pool(1);
  const ModelConfig config = testing::small_config(true);
  std::vector<SteppedCompletion> stepped;
  for (std::uint64_t i = 0; i < 4; ++i) {
    stepped.push_back({testing::random_tokens(config, 4, i),
                       testing::random_tokens(config, 6, 100 + i),
                       {2, 3, 6},
                       {1, i % 2 == 0 ? 0.5 : 1, i % 2 == 0 ? 0.0 : 1}});
  }
  stepped.push_back({testing::random_tokens(config, 4, 9), testing::random_tokens(config, 5, 109), {5}, {0.25}});
  const Trained whole = train_whole(stepped, RewardObjective::kSteps, 2e-3F, 150, pool);
  for (const SteppedCompletion& one : stepped) {
    const auto rewards = rewards_of(*whole.policy, one, kTokens);
    for (std::size_t step = 0; step < one.labels.size(); ++step) {
      EXPECT_NEAR(1 / (1 + std::exp(-rewards[step])), one.labels[step], 0.1);
    }
  }
  EXPECT_LT(whole.steps.back().squared_error, 0.01);
  EXPECT_EQ(whole.steps.back().accuracy, 1);  // of the eleven steps whose label is not 1/2
}

// A batch's loss is the mean over its steps, not over its completions: 3 + 1 of them, with labels that are right or
// not.
TEST(RewardModel, TheLossOfStepsIsTheMeanOverTheStepsOfABatch) {
  ThreadPool pool(1);
  const ModelConfig config = testing::small_config(true);
  auto policy = Policy::create(config, testing::random_weights(config, 7),
                               {.dtype = ComputeDtype::kF32, .pool = &pool, .trainable = true});
  const std::vector<SteppedCompletion> stepped = {
      {testing::random_tokens(config, 4, 1), testing::random_tokens(config, 6, 2), {1, 4, 6}, {1, 0, 0.25}},
      {testing::random_tokens(config, 3, 3), testing::random_tokens(config, 2, 4), {2}, {1}}};
  double expected = 0;
  for (const SteppedCompletion& one : stepped) {
    const auto rewards = rewards_of(**policy, one, kTokens);
    for (std::size_t step = 0; step < one.labels.size(); ++step) {
      const double p = 1 / (1 + std::exp(-rewards[step]));
      expected -= (one.labels[step] * std::log(p) + (1 - one.labels[step]) * std::log(1 - p)) / 4;
    }
  }
  Optimizer optimizer(**policy, pool, {});
  RewardModelOptions options;
  options.batch_size = 2;
  options.objective = RewardObjective::kSteps;
  double loss = 0;
  train_reward_model(**policy, optimizer, stepped, kTokens, options, [&](const RewardModelStep& step) {
    loss = step.loss;
    return true;
  });
  EXPECT_NEAR(loss, expected, 1e-6);
}

}  // namespace
}  // namespace plumb
