// Activation checkpointing: what is computed again has the bits of what was thrown away.

#include <gtest/gtest.h>

#include <memory>

#include "policy/policy.h"
#include "tensor/buffer.h"
#include "tests/support/bf16_scope.h"
#include "tests/support/random_model.h"

namespace plumb {
namespace {

struct Problem {
  PackedBatch batch;
  ScoreTargets targets;
  std::vector<float> d_log_probs;
};

// A prompt that two completions share, and a sequence of its own. `scale` multiplies all lengths.
Problem make_problem(const ModelConfig& config, std::int64_t scale) {
  Problem p;
  p.targets.temperature = 0.8F;
  const auto add = [&](std::int64_t length, std::int64_t start, std::int32_t parent) {
    const std::int64_t first = p.batch.num_tokens();
    const auto ids = testing::random_tokens(config, length + 1, static_cast<std::uint64_t>(length + first));
    p.batch.segments.push_back({.first_row = first, .num_tokens = length, .start_position = start, .parent = parent});
    p.batch.token_ids.insert(p.batch.token_ids.end(), ids.begin(), ids.end() - 1);
    for (std::int64_t t = 0; t < length; ++t) {
      p.targets.rows.push_back(first + t);
      p.targets.target_ids.push_back(ids[static_cast<std::size_t>(t + 1)]);
      p.d_log_probs.push_back(0.01F * static_cast<float>(t % 7) - 0.02F);
    }
  };
  add(37 * scale, 0, -1);
  add(9 * scale, 37 * scale, 0);
  add(30 * scale, 37 * scale, 0);
  add(50 * scale, 0, -1);
  return p;
}

ModelConfig deep_config() {
  ModelConfig config = testing::small_config(true);
  config.num_layers = 5;
  return config;
}

std::unique_ptr<Policy> make_policy(const ModelConfig& config, const PolicyOptions& options) {
  auto policy = Policy::create(config, testing::random_weights(config, 7), options);
  EXPECT_TRUE(policy.ok());
  return std::move(policy).value();
}

std::vector<float> gradients_of(Policy& policy) {
  std::vector<float> all;
  for (const ParameterView& view : policy.parameters()) {
    all.insert(all.end(), view.gradient.begin(), view.gradient.end());
  }
  return all;
}

struct Results {
  std::vector<float> log_probs;
  std::vector<float> gradients;
  bool operator==(const Results&) const = default;
};

Results run(Policy& policy, const Problem& problem, ForwardTape& tape) {
  policy.zero_gradients();
  Results results;
  results.log_probs = policy.forward(problem.batch, problem.targets, tape).log_probs;
  policy.backward(tape, problem.d_log_probs);
  results.gradients = gradients_of(policy);
  return results;
}

class Checkpointing : public testing::ArithmeticTest {};

TEST_P(Checkpointing, GradientsAreTheSameBits) {
  const ModelConfig config = deep_config();
  // Few rows, which all threads run together, and many, which go in blocks.
  for (const std::int64_t scale : {1, 3}) {
    const Problem problem = make_problem(config, scale);
    for (const int threads : {1, 2, 4}) {
      ThreadPool pool(threads);
      const auto kept = make_policy(config, {.dtype = dtype(), .pool = &pool, .trainable = true});
      const auto again =
          make_policy(config, {.dtype = dtype(), .pool = &pool, .trainable = true, .activation_checkpointing = true});
      ForwardTape kept_tape;
      ForwardTape again_tape;
      const Results expected = run(*kept, problem, kept_tape);
      EXPECT_TRUE(run(*again, problem, again_tape) == expected) << threads << " threads, scale " << scale;
    }
  }
}

TEST_P(Checkpointing, TapeChangesOverAndServesTwoBackwards) {
  ThreadPool pool(2);
  const ModelConfig config = deep_config();
  const Problem problem = make_problem(config, 1);
  const auto policy = make_policy(config, {.dtype = dtype(), .pool = &pool, .trainable = true});
  ForwardTape tape;
  const Results expected = run(*policy, problem, tape);
  for (const bool on : {true, false, true}) {
    policy->set_activation_checkpointing(on);
    EXPECT_TRUE(run(*policy, problem, tape) == expected) << on;
  }
  policy->zero_gradients();
  policy->backward(tape, problem.d_log_probs);
  EXPECT_EQ(gradients_of(*policy), expected.gradients) << "a second backward of one tape";
}

INSTANTIATE_TEST_SUITE_P(Arithmetic, Checkpointing, ::testing::ValuesIn(testing::all_arithmetic()),
                         [](const auto& parameter) { return testing::name_of(parameter.param); });

}  // namespace
}  // namespace plumb
