#pragma once
// The fixture of tests of whole updates of a small policy.

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "learner/grpo.h"
#include "learner/reference.h"
#include "tests/support/random_model.h"
#include "tests/support/scored_groups.h"

namespace plumb::testing {

class GrpoUpdate : public ::testing::Test {
 protected:
  std::unique_ptr<Policy> make_policy() {
    const ModelConfig config = small_config(true);
    auto policy = Policy::create(config, random_weights(config, 7),
                                 {.dtype = ComputeDtype::kF32, .pool = &pool_, .trainable = true});
    EXPECT_TRUE(policy.ok());
    return std::move(policy).value();
  }

  // The weights after one step from the same start, flat. Plain steps along the gradient would be hidden by AdamW's
  // first step, which is its sign: the moments say what the gradient was.
  struct Outcome {
    GrpoStepStats stats;
    std::vector<float> gradient;  // from the first moment
  };
  Outcome run(const GrpoLearnerOptions& options, const std::vector<unsigned>& patterns,
              const std::function<void(std::vector<ScoredGroup>&, Policy&)>& change = {}, float temperature = 1) {
    const auto policy = make_policy();
    std::vector<ScoredGroup> groups = make_groups(*policy, patterns);
    const auto reference = ReferencePolicy::create(*policy, pool_, {.kind = ReferenceKind::kFixed});
    if (change) {
      change(groups, *policy);
    }
    Optimizer optimizer(*policy, pool_, {.max_grad_norm = 0});
    GrpoLearner learner(*policy, optimizer, options, &(*reference)->policy());
    Outcome outcome{learner.step(groups, 0, temperature), {}};
    for (const auto& moment : optimizer.first_moments()) {
      for (const float value : moment) {
        outcome.gradient.push_back(value * 10);
      }
    }
    return outcome;
  }

  static void expect_close(const std::vector<float>& a, const std::vector<float>& b, double tolerance) {
    ASSERT_EQ(a.size(), b.size());
    double squares = 0;
    double difference = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
      squares += static_cast<double>(a[i]) * static_cast<double>(a[i]);
      difference += (static_cast<double>(a[i]) - static_cast<double>(b[i])) *
                    (static_cast<double>(a[i]) - static_cast<double>(b[i]));
    }
    EXPECT_GT(squares, 0);
    EXPECT_LT(std::sqrt(difference), tolerance * std::sqrt(squares));
  }

  ThreadPool pool_{1};
};

}  // namespace plumb::testing
