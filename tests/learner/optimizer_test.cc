// What the optimizer says of an update: norms by layer, and that weights are about to change.

#include "learner/optimizer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "learner/sft.h"
#include "tests/support/formula_weights.h"
#include "tests/support/random_model.h"

namespace plumb {
namespace {

class OptimizerTest : public ::testing::Test {
 protected:
  OptimizerTest() {
    auto made = Policy::create(config_, testing::random_weights(config_, 7),
                               {.dtype = ComputeDtype::kF32, .pool = &pool_, .trainable = true});
    policy_ = std::move(made).value();
    for (ParameterView& parameter : policy_->parameters()) {
      for (float& gradient : parameter.gradient) {
        gradient = 1e-3F;
      }
    }
  }

  [[nodiscard]] std::vector<float> weights() const {
    std::vector<float> all;
    for (const ParameterView& parameter : policy_->parameters()) {
      all.insert(all.end(), parameter.value.begin(), parameter.value.end());
    }
    return all;
  }

  ThreadPool pool_{1};
  ModelConfig config_ = testing::small_config(true);
  std::unique_ptr<Policy> policy_;
};

TEST_F(OptimizerTest, NormsByLayerAddUpToTheGlobalOne) {
  double layer_1 = 0;
  for (const ParameterView& parameter : policy_->parameters()) {
    layer_1 += parameter.name.starts_with("model.layers.1.") ? 1e-6 * static_cast<double>(parameter.value.size()) : 0;
  }
  Optimizer optimizer(*policy_, pool_, {});
  const double global = optimizer.step(1e-3F).grad_norm;
  const auto norms = optimizer.layer_norms();
  double squares = 0;
  for (const auto& [layer, norm] : norms) {
    squares += norm * norm;
  }
  EXPECT_NEAR(std::sqrt(squares), global, 1e-9);
  EXPECT_NEAR(norms.at("layers.1"), std::sqrt(layer_1), 1e-5 * std::sqrt(layer_1)) << "sums of squares are of f32";
  for (const char* layer : {"embed_tokens", "layers.0", "norm"}) {
    EXPECT_TRUE(norms.contains(layer)) << layer;
  }
}

// Whoever reads the weights in another thread has ended before they move.
TEST_F(OptimizerTest, AnnouncesAChangeBeforeIt) {
  Optimizer optimizer(*policy_, pool_, {});
  const std::vector<float> before = weights();
  std::vector<float> seen;
  std::vector<float> moments;
  int calls = 0;
  optimizer.set_before_change([&] {
    seen = weights();
    moments = optimizer.first_moments()[0];
    ++calls;
  });
  EXPECT_TRUE(optimizer.step(1e-3F).applied);
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(seen, before);
  EXPECT_EQ(moments, std::vector<float>(moments.size(), 0.0F));
  EXPECT_NE(weights(), before);
  optimizer.set_before_change(nullptr);
  optimizer.step(1e-3F);
  EXPECT_EQ(calls, 1);
}

// The weights that were best come back at the end of SFT: a change as well.
TEST_F(OptimizerTest, SftAnnouncesThatTheBestWeightsComeBack) {
  policy_->zero_gradients();
  std::vector<SftExample> examples(4);
  for (std::size_t i = 0; i < examples.size(); ++i) {
    examples[i].add(testing::random_tokens(config_, 4, i), false);
    examples[i].add(testing::random_tokens(config_, 5, 50 + i), true);
  }
  SftLearnerOptions options;
  options.batch_size = 2;
  options.max_epochs = 2;
  options.patience = 2;
  options.schedule.peak = 0.5F;  // no epoch is better than none
  Optimizer optimizer(*policy_, pool_, {});
  const std::vector<float> start = weights();
  std::vector<float> seen;
  int calls = 0;
  optimizer.set_before_change([&] {
    seen = weights();
    ++calls;
  });
  const std::span<const SftExample> all(examples);
  const SftSummary summary = train_sft(*policy_, optimizer, all.first(2), all.subspan(2), options,
                                       {[](const SftStep&) { return true; }, [](int, const SftLoss&) {}, {}});
  ASSERT_EQ(summary.best_epoch, 0);
  EXPECT_EQ(calls, 3) << "two updates and the return";
  EXPECT_NE(seen, start);
  EXPECT_EQ(weights(), start);
}

}  // namespace
}  // namespace plumb
