#include "policy/router_statistics.h"

#include <gtest/gtest.h>

#include <cmath>

namespace plumb {
namespace {

TEST(RouterStatistics, OneExpertForAllAndAnEvenSpread) {
  const std::vector<std::int32_t> same = {1, 1};
  const std::vector<std::int32_t> spread = {0, 1};
  const std::vector<float> logits = {0, 0, 0, 0};
  const std::vector<float> counts = {1, 1};
  const RouterStatistics one = router_statistics({.experts = same, .weights = {}, .logits = logits}, 2, counts);
  EXPECT_DOUBLE_EQ(one.load_entropy, 0);
  EXPECT_DOUBLE_EQ(one.max_violation, 1);
  EXPECT_DOUBLE_EQ(one.balance, 1);  // even probabilities: the load does not matter
  EXPECT_NEAR(one.z_loss, std::log(2.0) * std::log(2.0), 1e-12);
  const RouterStatistics even = router_statistics({.experts = spread, .weights = {}, .logits = logits}, 2, counts);
  EXPECT_DOUBLE_EQ(even.load_entropy, 1);
  EXPECT_DOUBLE_EQ(even.max_violation, 0);
}

// A prompt row that counts three times is three rows; one that counts for nothing is none.
TEST(RouterStatistics, CountsAreCopies) {
  const std::vector<std::int32_t> short_experts = {0, 2, 1, 2, 0, 1};
  const std::vector<float> short_logits = {1, -1, 2, 0.5F, 1.5F, 2, 9, 9, 0};
  const std::vector<std::int32_t> long_experts = {0, 2, 0, 2, 0, 2, 1, 2};
  const std::vector<float> long_logits = {1, -1, 2, 1, -1, 2, 1, -1, 2, 0.5F, 1.5F, 2};
  const RouterStatistics a = router_statistics({.experts = short_experts, .weights = {}, .logits = short_logits}, 3,
                                               std::vector<float>{3, 1, 0});
  const RouterStatistics b = router_statistics({.experts = long_experts, .weights = {}, .logits = long_logits}, 3,
                                               std::vector<float>{1, 1, 1, 1});
  EXPECT_EQ(a.load, b.load);
  EXPECT_NEAR(a.balance, b.balance, 1e-12);
  EXPECT_NEAR(a.z_loss, b.z_loss, 1e-12);
  EXPECT_EQ(router_statistics({}, 3, {}).load, std::vector<double>(3));
}

}  // namespace
}  // namespace plumb
