// The backward of the whole policy against finite differences of an f64 Llama (tests/support/reference_llama.h): a
// prompt that two completions share, and a sequence of its own. Single ops: tests/tensor.

#include <gtest/gtest.h>

#include <cmath>
#include <memory>

#include "policy/policy.h"
#include "tests/support/bf16_scope.h"
#include "tests/support/numeric.h"
#include "tests/support/random_model.h"
#include "tests/support/reference_llama.h"

namespace plumb {
namespace {

constexpr float kTemperature = 1.3F;

// A sequence with the factors of its tokens' log-probs in the objective; the first `prompt` tokens count for nothing.
struct Sequence {
  std::vector<std::int32_t> ids;
  std::size_t prompt = 0;
  std::vector<float> factors;  // of ids[prompt], ids[prompt + 1], ...
};

struct Problem {
  PackedBatch batch;
  ScoreTargets targets;
  std::vector<float> factors;
  std::vector<Sequence> sequences;  // the same, each whole
};

void add_segment(Problem& p, const std::vector<std::int32_t>& ids, std::int64_t start, std::int32_t parent) {
  p.batch.segments.push_back({.first_row = p.batch.num_tokens(),
                              .num_tokens = static_cast<std::int64_t>(ids.size()),
                              .start_position = start,
                              .parent = parent});
  p.batch.token_ids.insert(p.batch.token_ids.end(), ids.begin(), ids.end());
}

Problem shared_problem(const ModelConfig& config) {
  Problem p;
  p.targets.temperature = kTemperature;
  const auto add_target = [&](std::int64_t row, std::int32_t id, Sequence& sequence) {
    const float factor = std::sin(static_cast<float>(p.factors.size() + 1));
    p.targets.rows.push_back(row);
    p.targets.target_ids.push_back(id);
    p.factors.push_back(factor);
    sequence.factors.push_back(factor);
  };
  const std::vector<std::int32_t> prompt = testing::random_tokens(config, 37, 1);
  add_segment(p, prompt, 0, -1);
  for (const std::int64_t length : {9, 30}) {
    const auto completion = testing::random_tokens(config, length, static_cast<std::uint64_t>(length));
    Sequence sequence{prompt, prompt.size(), {}};
    const std::int64_t first = p.batch.num_tokens();
    for (std::int64_t t = 0; t < length; ++t) {
      const std::int32_t id = completion[static_cast<std::size_t>(t)];
      sequence.ids.push_back(id);
      add_target(t == 0 ? 36 : first + t - 1, id, sequence);
    }
    add_segment(p, completion, 37, 0);
    p.sequences.push_back(std::move(sequence));
  }
  Sequence alone{testing::random_tokens(config, 20, 4), 1, {}};
  const std::int64_t first = p.batch.num_tokens();
  for (std::int64_t t = 1; t < 20; ++t) {
    add_target(first + t - 1, alone.ids[static_cast<std::size_t>(t)], alone);
  }
  add_segment(p, alone.ids, 0, -1);
  p.sequences.push_back(std::move(alone));
  return p;
}

double log_sum_exp_f64(const std::vector<double>& logits, double temperature) {
  double sum = 0;
  for (const double logit : logits) {
    sum += std::exp(logit / temperature);
  }
  return std::log(sum);
}

double objective_f64(const ModelConfig& config, const testing::ReferenceWeights& weights, const Problem& problem,
                     double z_loss = 0) {
  double sum = 0;
  for (const Sequence& sequence : problem.sequences) {
    const auto logits = testing::reference_logits(config, weights, sequence.ids);
    for (std::size_t i = 0; i < sequence.factors.size(); ++i) {
      const std::size_t at = sequence.prompt + i;
      sum += static_cast<double>(sequence.factors[i]) *
             testing::reference_log_prob(logits[at - 1], sequence.ids[at], static_cast<double>(kTemperature));
      if (z_loss != 0) {
        sum += z_loss * std::pow(log_sum_exp_f64(logits[at - 1], static_cast<double>(kTemperature)), 2);
      }
    }
  }
  return sum;
}

std::unique_ptr<Policy> make_policy(const ModelConfig& config, ComputeDtype dtype, ThreadPool& pool) {
  auto created =
      Policy::create(config, testing::random_weights(config, 5), {.dtype = dtype, .pool = &pool, .trainable = true});
  EXPECT_TRUE(created.ok());
  return std::move(created).value();
}

void run_backward(Policy& policy, const Problem& problem) {
  ForwardTape tape;
  policy.forward(problem.batch, problem.targets, tape);
  policy.backward(tape, problem.factors);
}

double norm_of(std::span<const float> values) {
  double squares = 0;
  for (const float value : values) {
    squares += static_cast<double>(value) * static_cast<double>(value);
  }
  return std::sqrt(squares);
}

class WholePolicy : public ::testing::TestWithParam<bool> {};

TEST_P(WholePolicy, LogProbsMatchF64) {
  ThreadPool pool(2);
  const ModelConfig config = testing::small_config(GetParam());
  const auto policy = make_policy(config, ComputeDtype::kF32, pool);
  const Problem problem = shared_problem(config);
  const auto found = policy->score(problem.batch, problem.targets).log_probs;
  double sum = 0;
  double size = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    sum += static_cast<double>(problem.factors[i]) * static_cast<double>(found[i]);
    size += std::abs(static_cast<double>(problem.factors[i] * found[i]));
  }
  const double expected =
      objective_f64(config, testing::reference_weights(testing::random_weights(config, 5)), problem);
  EXPECT_NEAR(sum, expected, 1e-6 * size);
}

// With `z_loss` of the vocabulary or without.
void expect_gradient_matches_differences(bool tied, float z_loss) {
  ThreadPool pool(2);
  const ModelConfig config = testing::small_config(tied);
  const auto policy = make_policy(config, ComputeDtype::kF32, pool);
  const Problem problem = shared_problem(config);
  policy->set_z_loss(z_loss);
  run_backward(*policy, problem);
  testing::ReferenceWeights weights = testing::reference_weights(testing::random_weights(config, 5));
  // Along a random direction in each tensor, so that every element counts.
  for (const ParameterView& view : policy->parameters()) {
    const auto direction = testing::random_floats(static_cast<std::int64_t>(view.value.size()), stable_hash(view.name));
    const double length = norm_of(direction);
    double found = 0;
    for (std::size_t i = 0; i < direction.size(); ++i) {
      found += static_cast<double>(direction[i]) / length * static_cast<double>(view.gradient[i]);
    }
    std::vector<double>& values = weights.at(view.name);
    const std::vector<double> before = values;
    constexpr double kStep = 1e-4;  // third derivatives add some 1e-8 of the gradient
    double sides[2];
    for (const int side : {0, 1}) {
      for (std::size_t i = 0; i < values.size(); ++i) {
        values[i] = before[i] + (side == 0 ? kStep : -kStep) * static_cast<double>(direction[i]) / length;
      }
      sides[side] = objective_f64(config, weights, problem, static_cast<double>(z_loss));
    }
    values = before;
    const double expected = (sides[0] - sides[1]) / (2 * kStep);
    // f32 sums of up to some hundred terms through two layers and back: 1e-5 of the gradient's length at worst.
    EXPECT_NEAR(found, expected, 1e-5 * norm_of(view.gradient)) << view.name;
  }
}

TEST_P(WholePolicy, GradientMatchesFiniteDifferencesInF64) {
  expect_gradient_matches_differences(GetParam(), 0);
}

TEST_P(WholePolicy, GradientOfTheZLossMatchesFiniteDifferencesInF64) {
  expect_gradient_matches_differences(GetParam(), 0.5F);
}

INSTANTIATE_TEST_SUITE_P(Tied, WholePolicy, ::testing::Bool());

class RoundedPolicy : public testing::ArithmeticTest {};

// Rounding operands to bf16 (an error of up to 2^-9 each, in some dozen products on the way) leaves the gradient's
// direction and length as they are.
TEST_P(RoundedPolicy, GradientIsNearTheOneOfF32) {
  ThreadPool pool(2);
  const ModelConfig config = testing::small_config(true);
  const Problem problem = shared_problem(config);
  const auto exact = make_policy(config, ComputeDtype::kF32, pool);
  const auto rounded = make_policy(config, dtype(), pool);
  run_backward(*exact, problem);
  run_backward(*rounded, problem);
  for (std::size_t p = 0; p < exact->parameters().size(); ++p) {
    const ParameterView& expected = exact->parameters()[p];
    const ParameterView& found = rounded->parameters()[p];
    std::vector<float> difference;
    for (std::size_t i = 0; i < expected.gradient.size(); ++i) {
      difference.push_back(found.gradient[i] - expected.gradient[i]);
    }
    EXPECT_LE(norm_of(difference), 0.03 * norm_of(expected.gradient)) << expected.name;
  }
}

TEST_P(RoundedPolicy, GradientsAreAdded) {
  ThreadPool pool(2);
  const ModelConfig config = testing::small_config(true);
  const Problem problem = shared_problem(config);
  const auto policy = make_policy(config, dtype(), pool);
  run_backward(*policy, problem);
  const ParameterView& view = policy->parameters()[3];
  const std::vector<float> once(view.gradient.begin(), view.gradient.end());
  run_backward(*policy, problem);
  for (std::size_t i = 0; i < once.size(); ++i) {
    ASSERT_NEAR(view.gradient[i], 2 * once[i], 1e-5F * static_cast<float>(norm_of(once)));
  }
  policy->zero_gradients();
  EXPECT_EQ(norm_of(view.gradient), 0.0);
}

INSTANTIATE_TEST_SUITE_P(Arithmetic, RoundedPolicy, ::testing::ValuesIn(testing::all_arithmetic()),
                         [](const auto& parameter) { return testing::name_of(parameter.param); });

}  // namespace
}  // namespace plumb
