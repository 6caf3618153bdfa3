#include "eval/proxy_watch.h"

#include <gtest/gtest.h>

namespace plumb {
namespace {

// The state after each of `steps` steps in which both rewards move by as much.
ProxyState after(int steps, double proxy_slope, double gold_slope) {
  ProxyWatch watch;
  ProxyState state = ProxyState::kTogether;
  for (int step = 0; step < steps; ++step) {
    state = watch.observe(0.5 + proxy_slope * step, 0.5 + gold_slope * step);
  }
  return state;
}

TEST(ProxyWatch, WarnsAndThenStopsWhereTheProxyRisesAndTheTruthFalls) {
  constexpr double kSlope = 0.003;  // 0.03 from one window to the next
  EXPECT_EQ(after(2 * kProxyWindow - 1, kSlope, -kSlope), ProxyState::kTogether);
  EXPECT_EQ(after(2 * kProxyWindow, kSlope, -kSlope), ProxyState::kParted);
  EXPECT_EQ(after(2 * kProxyWindow + kProxyPatience - 2, kSlope, -kSlope), ProxyState::kParted);
  EXPECT_EQ(after(2 * kProxyWindow + kProxyPatience - 1, kSlope, -kSlope), ProxyState::kStop);
}

TEST(ProxyWatch, IsQuietWhereTheyRiseOrFallTogetherOrHardlyMove) {
  constexpr int kLong = 100;
  EXPECT_EQ(after(kLong, 0.003, 0.003), ProxyState::kTogether);
  EXPECT_EQ(after(kLong, -0.003, -0.003), ProxyState::kTogether);
  EXPECT_EQ(after(kLong, -0.003, 0.003), ProxyState::kTogether);
  EXPECT_EQ(after(kLong, 0.0015, -0.003), ProxyState::kTogether);
  EXPECT_EQ(after(kLong, 0.003, -0.0015), ProxyState::kTogether);
}

TEST(ProxyWatch, ARecoveryStartsThePatienceAnew) {
  ProxyWatch watch;
  ProxyState state = ProxyState::kTogether;
  int step = 0;
  for (; step < 2 * kProxyWindow + kProxyPatience - 1; ++step) {
    const double gold = step == 2 * kProxyWindow + 2 ? 5 : 0.5 - 0.003 * step;
    state = watch.observe(0.5 + 0.003 * step, gold);
  }
  EXPECT_NE(state, ProxyState::kStop);
}

}  // namespace
}  // namespace plumb
