// Process supervision from scored steps to the gradient: hand-worked numbers, and whole updates beside the definition
// as plain loops.

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/rng.h"
#include "learner/batching.h"
#include "learner/grpo.h"
#include "tests/support/random_model.h"
#include "tests/support/scored_groups.h"

namespace plumb {
namespace {

using Rows = std::vector<std::vector<double>>;

class ProcessSupervision : public ::testing::Test {
 protected:
  static std::unique_ptr<Policy> make_policy(ThreadPool& pool) {
    const ModelConfig config = testing::small_config(true);
    auto policy = Policy::create(config, testing::random_weights(config, 7),
                                 {.dtype = ComputeDtype::kF32, .pool = &pool, .trainable = true});
    EXPECT_TRUE(policy.ok());
    return std::move(policy).value();
  }

  // The numbers of one step, and its gradient: ten times the first moment.
  GrpoStepStats step(Policy& policy, const std::vector<ScoredGroup>& groups, const GrpoLearnerOptions& options,
                     std::vector<float>& gradient) {
    Optimizer optimizer(policy, pool_, {.max_grad_norm = 0});
    GrpoLearner learner(policy, optimizer, options);
    GrpoStepStats stats = learner.step(groups, 0, 1);
    gradient = gradient_of(optimizer);
    return stats;
  }

  static std::vector<float> gradient_of(const Optimizer& optimizer) {
    std::vector<float> gradient;
    for (const auto& moment : optimizer.first_moments()) {
      for (const float value : moment) {
        gradient.push_back(value * 10);
      }
    }
    return gradient;
  }

  ThreadPool pool_{1};
};

// A group of two completions of 3 and 4 tokens. Steps 1 and 0 of the first end behind tokens 2 and 3, steps 0 and 3 of
// the second behind 1 and 4: mean 1, variance 2, so that in units of 1 / sqrt(2) the steps are worth 0 and -1, -1
// and 2. Rewards 1 and 0 are worth 1 and -1 in the same units.
ScoredGroup hand_worked_group(Policy& policy) {
  ScoredGroup group = testing::make_groups(policy, {0b01}, 2).front();
  for (std::size_t i = 0; i < 2; ++i) {
    Completion& completion = group.group.completions[i];
    EXPECT_EQ(completion.token_ids.size(), 3 + i);
  }
  group.scores[0].steps = {{2, 1}, {3, 0}};
  group.scores[1].steps = {{1, 0}, {4, 3}};
  return group;
}

// A completion that is alone has nobody to be compared with, and is not trained on, whatever its steps.
TEST_F(ProcessSupervision, OneScoredCompletionHasNoSpread) {
  const auto policy = make_policy(pool_);
  ScoredGroup group = hand_worked_group(*policy);
  GrpoLearnerOptions options;
  options.process = {true, 0};
  EXPECT_TRUE(has_spread(group, options));
  group.scores[0].unscored = "a fault";
  EXPECT_FALSE(has_spread(group, options));
}

TEST_F(ProcessSupervision, HandWorkedFromStepsToTheLoss) {
  const double unit = std::sqrt(0.5);
  struct Case {
    float weight;
    Rows units;       // of the tokens' advantages
    double loss;      // of seven tokens whose ratio is 1, in units
    double means[2];  // of a completion's tokens
  };
  for (const Case& each : {Case{0, {{-1, -1, -1}, {1, 2, 2, 2}}, -4.0 / 7, {-1, 1.75}},
                           Case{2, {{1, 1, 1}, {-1, 0, 0, 0}}, -2.0 / 7, {1, -0.25}}}) {
    const auto policy = make_policy(pool_);
    GrpoLearnerOptions options;
    options.advantage.std_epsilon = 0;
    options.process = {true, each.weight};
    std::vector<float> gradient;
    const GrpoStepStats stats = step(*policy, {hand_worked_group(*policy)}, options, gradient);
    EXPECT_NEAR(stats.policy_loss, each.loss * unit, 1e-7);
    EXPECT_EQ(stats.trained_tokens, 7);
    for (std::size_t i = 0; i < 2; ++i) {
      ASSERT_EQ(stats.token_advantages[0][i].size(), each.units[i].size());
      for (std::size_t t = 0; t < each.units[i].size(); ++t) {
        EXPECT_NEAR(stats.token_advantages[0][i][t], each.units[i][t] * unit, 1e-6) << "completion " << i << ", " << t;
      }
      EXPECT_NEAR(stats.advantages[0][i], each.means[i] * unit, 1e-6);
    }
    EXPECT_NEAR(stats.advantage_mean, (each.means[0] + each.means[1]) / 2 * unit, 1e-6);
  }
}

// Four groups of four with random steps; the second has equal rewards, the third equal scores, one completion of the
// fourth is not scored.
std::vector<ScoredGroup> random_groups(Policy& policy) {
  std::vector<ScoredGroup> groups = testing::make_groups(policy, {0b0011, 0b1111, 0b0101, 0b0110});
  const RngStream random(RngPurpose::kInit, 5);
  std::uint32_t next = 0;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    for (std::size_t i = 0; i < groups[g].scores.size(); ++i) {
      const std::int64_t length = std::ssize(groups[g].group.completions[i].token_ids);
      for (std::int64_t end = 1; end <= length; ++end) {
        if (end == length || random.below(2, next++) == 0) {
          groups[g].scores[i].steps.push_back({end, g == 2 ? 0.5 : static_cast<double>(random.uniform(next++))});
        }
      }
    }
  }
  groups[3].scores[1].unscored = "a fault";
  groups[3].scores[1].steps[0].score = std::numeric_limits<double>::infinity();  // nobody may look at it
  return groups;
}

// Means and deviations of what is scored in a group.
struct Moments {
  double mean = 0;
  double std = 0;
};

Moments moments_of(const std::vector<double>& values) {
  Moments moments;
  for (const double value : values) {
    moments.mean += value / static_cast<double>(values.size());
  }
  for (const double value : values) {
    moments.std += (value - moments.mean) * (value - moments.mean) / static_cast<double>(values.size() - 1);
  }
  moments.std = std::sqrt(moments.std);
  return moments;
}

// By the definition, a sum over steps for every token.
Rows slow_advantages(const ScoredGroup& group, double weight, double epsilon) {
  std::vector<double> steps;
  std::vector<double> rewards;
  for (const Score& score : group.scores) {
    if (!score.unscored) {
      rewards.push_back(score.total);
      for (const ScoredStep& step : score.steps) {
        steps.push_back(step.score);
      }
    }
  }
  const Moments of_steps = moments_of(steps);
  const Moments of_rewards = moments_of(rewards);
  Rows all;
  for (std::size_t i = 0; i < group.scores.size(); ++i) {
    const Score& score = group.scores[i];
    all.emplace_back();
    for (std::int64_t t = 0; !score.unscored && t < std::ssize(group.group.completions[i].token_ids); ++t) {
      double advantage = weight * (score.total - of_rewards.mean) / (of_rewards.std + epsilon);
      for (const ScoredStep& step : score.steps) {
        advantage += step.end - 1 >= t ? (step.score - of_steps.mean) / (of_steps.std + epsilon) : 0;
      }
      all.back().push_back(advantage);
    }
  }
  return all;
}

// On-policy, so that a token's derivative is -A / number of tokens.
std::vector<double> slow_derivatives(const std::vector<ScoredGroup>& groups, double weight, double epsilon) {
  std::vector<double> derivatives;
  for (const ScoredGroup& group : groups) {
    for (const std::vector<double>& tokens : slow_advantages(group, weight, epsilon)) {
      for (const double advantage : tokens) {
        derivatives.push_back(-advantage);
      }
    }
  }
  const auto count = static_cast<double>(derivatives.size());
  for (double& derivative : derivatives) {
    derivative /= count;
  }
  return derivatives;
}

TEST_F(ProcessSupervision, UpdatesAreThoseOfTheDefinition) {
  for (const float weight : {0.0F, 0.7F}) {
    const auto policy = make_policy(pool_);
    const std::vector<ScoredGroup> groups = random_groups(*policy);
    GrpoLearnerOptions options;
    options.process = {true, weight};
    options.zero_spread = ZeroSpread::kKeep;
    std::vector<float> gradient;
    const GrpoStepStats stats = step(*policy, groups, options, gradient);
    const double epsilon = static_cast<double>(options.advantage.std_epsilon);
    for (std::size_t g = 0; g < groups.size(); ++g) {
      const Rows expected = slow_advantages(groups[g], static_cast<double>(weight), epsilon);
      for (std::size_t i = 0; i < expected.size(); ++i) {
        ASSERT_EQ(stats.token_advantages[g][i].size(), expected[i].size()) << g << ", " << i;
        for (std::size_t t = 0; t < expected[i].size(); ++t) {
          EXPECT_NEAR(stats.token_advantages[g][i][t], expected[i][t], 1e-5) << g << ", " << i << ", " << t;
        }
      }
    }
    EXPECT_TRUE(std::isnan(stats.advantages[3][1]));
    EXPECT_TRUE(stats.finite);

    const auto other = make_policy(pool_);
    PackedSequences packed;
    for (const ScoredGroup& group : groups) {
      SharedPromptSequences sequences{group.group.prompt_token_ids, {}};
      for (std::size_t i = 0; i < group.scores.size(); ++i) {
        if (!group.scores[i].unscored) {
          sequences.completions.emplace_back(group.group.completions[i].token_ids);
        }
      }
      append_sequences(sequences, packed);
    }
    ForwardTape tape;
    other->forward(packed.batch, packed.targets, tape);
    std::vector<float> derivatives;
    for (const double derivative : slow_derivatives(groups, static_cast<double>(weight), epsilon)) {
      derivatives.push_back(static_cast<float>(derivative));
    }
    other->backward(tape, packed.sum_by_target(derivatives));
    Optimizer optimizer(*other, pool_, {.max_grad_norm = 0});
    optimizer.step(0);
    const std::vector<float> expected = gradient_of(optimizer);
    double squares = 0;
    double difference = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const auto slow = static_cast<double>(expected[i]);
      squares += slow * slow;
      difference += (slow - static_cast<double>(gradient[i])) * (slow - static_cast<double>(gradient[i]));
    }
    EXPECT_GT(squares, 0);
    EXPECT_LT(std::sqrt(difference), 1e-4 * std::sqrt(squares));
  }
}

// A group teaches where its steps differ, though its rewards do not; at weight 0 rewards alone teach nothing.
TEST_F(ProcessSupervision, SpreadIsOfStepsAndOfOutcomesThatHaveAWeight) {
  const auto policy = make_policy(pool_);
  const std::vector<ScoredGroup> groups = random_groups(*policy);
  GrpoLearnerOptions options;
  const auto spread = [&](bool on, float weight) {
    options.process = {on, weight};
    std::vector<bool> all;
    for (const ScoredGroup& group : groups) {
      all.push_back(has_spread(group, options));
    }
    return all;
  };
  EXPECT_EQ(spread(false, 1), (std::vector<bool>{true, false, true, true}));
  EXPECT_EQ(spread(true, 1), (std::vector<bool>{true, true, true, true}));
  EXPECT_EQ(spread(true, 0), (std::vector<bool>{true, true, false, true}));
  std::vector<float> gradient;
  EXPECT_EQ(step(*policy, groups, options, gradient).trained_groups, 3);
}

// Truncated completions are out of the loss and in the baseline, those of their steps included.
TEST_F(ProcessSupervision, FilteredCompletionsStayInTheBaseline) {
  const auto policy = make_policy(pool_);
  const std::vector<ScoredGroup> groups = random_groups(*policy);
  GrpoLearnerOptions options;
  options.process = {true, 1};
  std::vector<float> gradient;
  const GrpoStepStats all = step(*policy, groups, options, gradient);
  options.filter_overlong = true;
  const GrpoStepStats filtered = step(*make_policy(pool_), groups, options, gradient);
  EXPECT_TRUE(filtered.token_advantages[0][0].empty());
  EXPECT_TRUE(std::isnan(filtered.advantages[0][0]));
  EXPECT_EQ(filtered.token_advantages[0][1], all.token_advantages[0][1]);
}

TEST_F(ProcessSupervision, AScoreThatIsNotFiniteStopsTheStep) {
  const auto policy = make_policy(pool_);
  std::vector<ScoredGroup> groups = random_groups(*policy);
  groups[0].scores[2].steps[0].score = std::nan("");
  GrpoLearnerOptions options;
  options.process = {true, 0};
  std::vector<float> gradient;
  EXPECT_FALSE(step(*policy, groups, options, gradient).finite);
}

}  // namespace
}  // namespace plumb
