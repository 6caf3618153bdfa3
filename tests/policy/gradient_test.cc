// The backward of the whole policy against finite differences of its own f32 forward, and a shared prompt's gradient
// against separate sequences. Single ops are checked in f64 in tests/tensor.

#include <gtest/gtest.h>

#include <cmath>
#include <memory>

#include "core/rng.h"
#include "policy/policy.h"
#include "tests/support/random_model.h"

namespace plumb {
namespace {

struct Problem {
  PackedBatch batch;
  ScoreTargets targets;
  std::vector<float> weights;
};

// Two completions of one prompt, and a sequence of its own.
Problem shared_problem(const ModelConfig& config) {
  Problem p;
  const auto add = [&](std::int64_t length, std::int64_t start, std::int32_t parent, std::uint64_t seed) {
    p.batch.segments.push_back(
        {.first_row = p.batch.num_tokens(), .num_tokens = length, .start_position = start, .parent = parent});
    const auto ids = testing::random_tokens(config, length, seed);
    p.batch.token_ids.insert(p.batch.token_ids.end(), ids.begin(), ids.end());
  };
  add(37, 0, -1, 1);
  add(9, 37, 0, 2);
  add(30, 37, 0, 3);
  add(20, 0, -1, 4);
  p.targets.temperature = 1.3F;
  for (std::size_t s = 0; s < p.batch.segments.size(); ++s) {
    const Segment& segment = p.batch.segments[s];
    for (std::int64_t t = segment.parent >= 0 ? 0 : 1; t < segment.num_tokens; ++t) {
      p.targets.rows.push_back(t == 0 ? 36 : segment.first_row + t - 1);
      p.targets.target_ids.push_back(p.batch.token_ids[static_cast<std::size_t>(segment.first_row + t)]);
      p.weights.push_back(s == 0 ? 0.0F : std::sin(static_cast<float>(p.weights.size())));
    }
  }
  return p;
}

double objective(Policy& policy, const Problem& problem) {
  const TokenScores scores = policy.score(problem.batch, problem.targets);
  double sum = 0;
  for (std::size_t i = 0; i < problem.weights.size(); ++i) {
    sum += static_cast<double>(problem.weights[i]) * static_cast<double>(scores.log_probs[i]);
  }
  return sum;
}

class WholePolicy : public ::testing::TestWithParam<bool> {};

TEST_P(WholePolicy, GradientMatchesFiniteDifferences) {
  ThreadPool pool(2);
  const ModelConfig config = testing::small_config(GetParam());
  auto created = Policy::create(config, testing::random_weights(config, 5),
                                {.dtype = ComputeDtype::kF32, .pool = &pool, .trainable = true});
  ASSERT_TRUE(created.ok());
  Policy& policy = **created;
  const Problem problem = shared_problem(config);
  ForwardTape tape;
  policy.forward(problem.batch, problem.targets, tape);
  policy.backward(tape, problem.weights);
  // Along a random direction in each tensor, so that every element counts.
  for (ParameterView& view : policy.parameters()) {
    const RngStream stream(RngPurpose::kInit, 99, stable_hash(view.name));
    std::vector<float> direction;
    double norm = 0;
    double expected = 0;
    for (std::size_t i = 0; i < view.value.size(); ++i) {
      direction.push_back(static_cast<float>(stream.normal(static_cast<std::uint32_t>(i))));
      norm += static_cast<double>(direction[i]) * static_cast<double>(direction[i]);
      expected += static_cast<double>(direction[i]) * static_cast<double>(view.gradient[i]);
    }
    norm = std::sqrt(norm);
    expected /= norm;
    const float step = 0.02F;
    const std::vector<float> before(view.value.begin(), view.value.end());
    double values[2];
    for (int side = 0; side < 2; ++side) {
      for (std::size_t i = 0; i < before.size(); ++i) {
        view.value[i] = before[i] + (side == 0 ? step : -step) * direction[i] / static_cast<float>(norm);
      }
      policy.commit_update();
      values[side] = objective(policy, problem);
    }
    std::copy(before.begin(), before.end(), view.value.begin());
    const double found = (values[0] - values[1]) / (2.0 * static_cast<double>(step));
    // Rounding: the objective sums about 100 log-probs near 6, each with an error of some 1e-6, over a step of 0.04.
    // Curvature: the third derivative times step^2 / 6, below 1e-3 of the gradient's scale here.
    double scale = 0;
    for (const float g : view.gradient) {
      scale += static_cast<double>(g) * static_cast<double>(g);
    }
    const double tolerance = 1e-3 + 2e-3 * std::sqrt(scale);
    EXPECT_NEAR(found, expected, tolerance) << view.name;
  }
}

INSTANTIATE_TEST_SUITE_P(Tied, WholePolicy, ::testing::Bool());

}  // namespace
}  // namespace plumb
