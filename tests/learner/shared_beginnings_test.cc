// What completions of a prompt share is computed once: same log-probs as apart, same gradients to rounding.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "learner/batching.h"
#include "policy/policy.h"
#include "tests/support/random_model.h"

namespace plumb {
namespace {

using Ids = std::vector<std::int32_t>;

struct Group {
  Ids prompt;
  std::vector<Ids> completions;
};

// Completions that part at the start, after one token, in the middle of a page of 32 positions and beyond one, that end
// inside another, and that are the same.
Group make_group(const ModelConfig& config) {
  Group group{testing::random_tokens(config, 21, 1), {}};
  const Ids whole = testing::random_tokens(config, 60, 2);
  for (const std::size_t shared : {60, 60, 0, 1, 7, 11, 45, 12}) {
    Ids completion(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(shared));
    if (shared < 45) {
      const Ids own = testing::random_tokens(config, 9, 10 + shared);
      completion.insert(completion.end(), own.begin(), own.end());
    }
    group.completions.push_back(completion);
  }
  return group;
}

// Random, alike for a token however it is packed.
float derivative_of(std::size_t token) {
  return 0.01F * std::sin(static_cast<float>(token) * 1.7F + 0.3F);
}

// Log-probs by token; gradients are left in the policy.
std::vector<float> run(Policy& policy, const Group& group, bool apart) {
  PackedSequences packed;
  if (apart) {
    for (const Ids& completion : group.completions) {
      append_sequences({group.prompt, {completion}}, packed);
    }
  } else {
    append_sequences({group.prompt, {group.completions.begin(), group.completions.end()}}, packed);
    EXPECT_LT(packed.batch.num_tokens(), 160) << "21 of the prompt, 60 shared, at most 10 of each that parts";
  }
  ForwardTape tape;
  const TokenScores scores = policy.forward(packed.batch, packed.targets, tape);
  std::vector<float> d_log_probs;
  for (std::size_t token = 0; token < packed.target_of.size(); ++token) {
    d_log_probs.push_back(derivative_of(token));
  }
  policy.backward(tape, packed.sum_by_target(d_log_probs));
  return packed.by_token(scores.log_probs);
}

std::vector<float> gradients_of(Policy& policy) {
  std::vector<float> all;
  for (const ParameterView& parameter : policy.parameters()) {
    all.insert(all.end(), parameter.gradient.begin(), parameter.gradient.end());
  }
  return all;
}

std::unique_ptr<Policy> make_policy(ThreadPool& pool) {
  const ModelConfig config = testing::small_config(true);
  auto policy = Policy::create(config, testing::random_weights(config, 7),
                               {.dtype = ComputeDtype::kF32, .pool = &pool, .trainable = true});
  EXPECT_TRUE(policy.ok());
  return std::move(*policy);
}

TEST(SharedBeginnings, LogProbsAreEqualAndGradientsToRounding) {
  ThreadPool pool(2);
  const auto apart = make_policy(pool);
  const auto together = make_policy(pool);
  const Group group = make_group(apart->config());
  EXPECT_EQ(run(*together, group, false), run(*apart, group, true));
  const std::vector<float> expected = gradients_of(*apart);
  const std::vector<float> found = gradients_of(*together);
  ASSERT_EQ(expected.size(), found.size());
  double largest = 0;
  double squares = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    ASSERT_TRUE(std::isfinite(found[i])) << i;
    largest = std::max(largest, std::abs(static_cast<double>(expected[i]) - static_cast<double>(found[i])));
    squares += static_cast<double>(expected[i]) * static_cast<double>(expected[i]);
  }
  const double rms = std::sqrt(squares / static_cast<double>(expected.size()));
  EXPECT_GT(rms, 0);
  // A number is a sum over some 300 tokens, each rounded to 2^-24 several times on its way.
  EXPECT_LT(largest, 2e-4 * rms);
}

}  // namespace
}  // namespace plumb
