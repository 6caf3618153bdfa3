// The steady state of training allocates nothing large: activations, gradients' scratch and packing reuse their memory.
// The counters are those of tensor/buffer.h and, for everything else, of tests/support/counting_new.h.

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "learner/optimizer.h"
#include "policy/policy.h"
#include "tensor/buffer.h"
#include "tests/support/counting_new.h"
#include "tests/support/random_model.h"

namespace plumb {
namespace {

struct Load {
  PackedBatch batch;
  ScoreTargets targets;
  std::vector<float> d_log_probs;
};

// 600 rows, so that every array of a row's numbers is large.
Load make_load(const ModelConfig& config) {
  Load load;
  for (std::int64_t s = 0; s < 3; ++s) {
    const auto ids = testing::random_tokens(config, 200, static_cast<std::uint64_t>(s));
    load.batch.segments.push_back({.first_row = 200 * s, .num_tokens = 200, .start_position = 0, .parent = -1});
    load.batch.token_ids.insert(load.batch.token_ids.end(), ids.begin(), ids.end());
    for (std::int64_t t = 0; t < 200; ++t) {
      load.targets.rows.push_back(200 * s + t);
      load.targets.target_ids.push_back(ids[static_cast<std::size_t>(t)]);
      load.d_log_probs.push_back(-0.001F);
    }
  }
  return load;
}

class SteadyState : public ::testing::TestWithParam<bool> {};

TEST_P(SteadyState, AllocatesNothingLarge) {
  ThreadPool pool(1);  // with two, scratch memory grows when a worker first gets a task of a kind
  const ModelConfig config = testing::wide_config();
  auto policy = Policy::create(
      config, testing::random_weights(config, 7),
      {.dtype = ComputeDtype::kBf16, .pool = &pool, .trainable = true, .activation_checkpointing = GetParam()});
  ASSERT_TRUE(policy.ok());
  Optimizer optimizer(**policy, pool, {});
  const Load load = make_load(config);
  ForwardTape tape;
  const auto step = [&] {
    (*policy)->forward(load.batch, load.targets, tape);
    (*policy)->backward(tape, load.d_log_probs);
    EXPECT_TRUE(optimizer.step(1e-5F).applied);
  };
  reset_aligned_memory();
  step();
  EXPECT_GT(aligned_memory().allocations, 0) << "the counters count";
  step();
  reset_aligned_memory();
  testing::large_news = 0;
  step();
  step();
  EXPECT_EQ(testing::large_news, 0) << "through operator new";
  EXPECT_EQ(aligned_memory().allocations, 0) << "buffers, the largest of " << aligned_memory().largest_bytes;
}

TEST(Counters, SeeALargeVector) {
  testing::large_news = 0;
  const auto large = std::make_unique<std::vector<char>>(testing::kLargeNew);
  EXPECT_EQ(testing::large_news, 1);
}

INSTANTIATE_TEST_SUITE_P(Checkpointing, SteadyState, ::testing::Bool());

}  // namespace
}  // namespace plumb
