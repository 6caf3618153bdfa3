// The policy that a divergence is to: when its weights move, and where to.

#include "learner/reference.h"

#include <gtest/gtest.h>

#include <cmath>

#include "learner/batching.h"
#include "tests/support/random_model.h"

namespace plumb {
namespace {

using Values = std::vector<std::vector<float>>;

class Reference : public ::testing::Test {
 protected:
  Reference() {
    const ModelConfig config = testing::small_config(true);
    auto policy = Policy::create(config, testing::random_weights(config, 7),
                                 {.dtype = ComputeDtype::kF32, .pool = &pool_, .trainable = true});
    EXPECT_TRUE(policy.ok());
    policy_ = std::move(policy).value();
  }

  std::unique_ptr<ReferencePolicy> make(const ReferenceOptions& options) {
    auto reference = ReferencePolicy::create(*policy_, pool_, options);
    EXPECT_TRUE(reference.ok());
    return std::move(reference).value();
  }

  static Values values_of(Policy& policy) {
    Values values;
    for (const ParameterView& view : policy.parameters()) {
      values.emplace_back(view.value.begin(), view.value.end());
    }
    return values;
  }

  // As an update does; the weights then differ from those before in every place.
  void move(float factor) {
    for (const ParameterView& view : policy_->parameters()) {
      for (float& value : view.value) {
        value *= factor;
      }
    }
    policy_->commit_update();
  }

  std::vector<float> log_probs(Policy& policy) {
    const std::vector<std::int32_t> tokens = testing::random_tokens(policy.config(), 9, 3);
    std::vector<std::uint8_t> trained(tokens.size(), 1);
    trained[0] = 0;
    PackedSequences packed;
    append_sequence(tokens, trained, packed);
    return packed.by_token(policy.score(packed.batch, packed.targets).log_probs);
  }

  ThreadPool pool_{1};
  std::unique_ptr<Policy> policy_;
};

TEST_F(Reference, AFixedOneStaysWhereTrainingBegan) {
  const auto reference = make({.kind = ReferenceKind::kFixed, .every = 1});
  const Values start = values_of(*policy_);
  EXPECT_EQ(log_probs(reference->policy()), log_probs(*policy_)) << "bit for bit";
  move(1.5F);
  for (std::int64_t step = 1; step <= 3; ++step) {
    EXPECT_FALSE(reference->after_step(step, *policy_));
  }
  EXPECT_EQ(values_of(reference->policy()), start);
}

TEST_F(Reference, ARefreshedOneIsThePolicyOfEveryThirdStep) {
  const auto reference = make({.kind = ReferenceKind::kRefreshed, .every = 3});
  Values expected = values_of(*policy_);
  for (std::int64_t step = 1; step <= 7; ++step) {
    move(1.01F);
    EXPECT_EQ(reference->after_step(step, *policy_), step == 3 || step == 6) << step;
    expected = step == 3 || step == 6 ? values_of(*policy_) : expected;
    ASSERT_EQ(values_of(reference->policy()), expected) << step;
  }
  EXPECT_NE(log_probs(reference->policy()), log_probs(*policy_));
  move(1.0F);
  reference->after_step(9, *policy_);
  EXPECT_EQ(log_probs(reference->policy()), log_probs(*policy_)) << "what it computes with has moved along";
}

// ref += rate (pi - ref), a quarter of the way at steps 2 and 4; quarters are exact where the weights are those of
// before and their double.
TEST_F(Reference, AnAverageMovesAShareOfTheWay) {
  const auto reference = make({.kind = ReferenceKind::kEma, .every = 2, .rate = 0.25F});
  const Values start = values_of(*policy_);
  move(2.0F);
  const auto expect_times = [&](double factor) {
    const Values now = values_of(reference->policy());
    for (std::size_t i = 0; i < start.size(); ++i) {
      for (std::size_t j = 0; j < start[i].size(); ++j) {
        const double expected = factor * static_cast<double>(start[i][j]);
        ASSERT_NEAR(now[i][j], expected, 1e-6 * std::abs(expected));
      }
    }
  };
  EXPECT_FALSE(reference->after_step(1, *policy_));
  expect_times(1);
  EXPECT_TRUE(reference->after_step(2, *policy_));
  expect_times(1.25);
  EXPECT_FALSE(reference->after_step(3, *policy_));
  EXPECT_TRUE(reference->after_step(4, *policy_));
  expect_times(1.25 + 0.25 * 0.75);
}

TEST_F(Reference, RestoredItGoesOnAsItWould) {
  const ReferenceOptions options{.kind = ReferenceKind::kEma, .every = 1, .rate = 0.1F};
  const auto whole = make(options);
  move(1.5F);
  whole->after_step(1, *policy_);
  const Values saved = values_of(whole->policy());
  const auto resumed = make(options);  // of today's weights, as after a restart
  ASSERT_NE(values_of(resumed->policy()), saved);
  ASSERT_TRUE(resumed->restore(saved).ok());
  EXPECT_EQ(log_probs(resumed->policy()), log_probs(whole->policy()));
  move(1.25F);
  whole->after_step(2, *policy_);
  resumed->after_step(2, *policy_);
  EXPECT_EQ(values_of(resumed->policy()), values_of(whole->policy()));
}

TEST_F(Reference, OtherShapesAreRefusedAndChangeNothing) {
  const auto reference = make({.kind = ReferenceKind::kEma});
  const Values start = values_of(reference->policy());
  Values other(start.size() - 1);
  EXPECT_NE(reference->restore(other).error().message.find("tensors"), std::string::npos);
  other = start;
  other.front()[0] += 1;
  other.back().pop_back();
  EXPECT_NE(reference->restore(other).error().message.find("another size"), std::string::npos);
  EXPECT_EQ(values_of(reference->policy()), start);
}

}  // namespace
}  // namespace plumb
