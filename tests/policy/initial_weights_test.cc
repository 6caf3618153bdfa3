// What training from scratch starts with.

#include "policy/initial_weights.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/random_model.h"

namespace plumb {
namespace {

ModelConfig mixture() {
  ModelConfig config = testing::small_config(false);
  config.architecture = "mixtral";
  config.moe.num_experts = 4;
  config.moe.top_k = 2;
  config.moe.expert_size = config.intermediate_size;
  config.moe.use_mixtral_names();
  return config;
}

double deviation(const std::vector<float>& values) {
  double squares = 0;
  for (const float value : values) {
    squares += static_cast<double>(value) * value;
  }
  return std::sqrt(squares / static_cast<double>(values.size()));
}

// 4 standard errors of a deviation of n normal values, 4 / sqrt(2 n): one of forty tensors exceeds 3 now and then.
void expect_deviation(const TensorPlace& tensor, const std::vector<float>& values, double expected) {
  const double error = 4 / std::sqrt(2 * static_cast<double>(values.size()));
  EXPECT_NEAR(deviation(values) / expected, 1, error) << tensor.name;
}

TEST(InitialWeights, AreNormalAndShrinkWithDepthWhereTheyAddToTheStream) {
  const ModelConfig config = mixture();
  int shrunk = 0;
  for (const TensorPlace& tensor : make_layout(config).tensors) {
    const std::vector<float> values = initial_weights(config, tensor, {.seed = 3, .deviation = 0.05});
    ASSERT_EQ(values.size(), static_cast<std::size_t>(tensor.size)) << tensor.name;
    if (tensor.name.ends_with("norm.weight")) {
      EXPECT_EQ(values, std::vector<float>(values.size(), 1.0F)) << tensor.name;
    } else if (tensor.name.ends_with("o_proj.weight") || tensor.name.ends_with("w2.weight")) {
      expect_deviation(tensor, values, 0.05 / std::sqrt(2.0 * static_cast<double>(config.num_layers)));
      ++shrunk;
    } else {
      expect_deviation(tensor, values, 0.05);
    }
  }
  EXPECT_EQ(shrunk, config.num_layers * (1 + config.moe.num_experts));
}

TEST(InitialWeights, FollowFromSeedAndName) {
  const ModelConfig config = mixture();
  const std::vector<TensorPlace> tensors = make_layout(config).tensors;
  const TensorPlace& one = tensors.front();
  EXPECT_EQ(initial_weights(config, one, {}), initial_weights(config, one, {}));
  EXPECT_NE(initial_weights(config, one, {}), initial_weights(config, one, {.seed = 2}));
  TensorPlace other = one;
  other.name = "other.weight";
  EXPECT_NE(initial_weights(config, one, {}), initial_weights(config, other, {}));
}

}  // namespace
}  // namespace plumb
