#include "learner/grpo_loss.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace plumb {
namespace {

GrpoLossSums grpo_loss(const std::vector<float>& new_log_probs, const std::vector<float>& old_log_probs,
                       const std::vector<float>& advantages, const std::vector<float>& entropies, double denominator,
                       const GrpoLossOptions& options, std::vector<float>& gradient) {
  const std::vector<LossSequence> sequences = {{0, new_log_probs.size(), denominator}};
  return plumb::grpo_loss({new_log_probs, {}, old_log_probs, advantages, entropies, {}, {}, {}, sequences}, options,
                          gradient);
}

// Four tokens with ratio 1.5, 1.5, 0.5, 0.5 and advantage +2, -2, +2, -2; clip 0.2 / 0.2; denominator 4.
//   token 0: min(3.0, 1.2 * 2 = 2.4) = 2.4, clipped high       -> loss -0.6,  gradient 0
//   token 1: min(-3.0, 1.2 * -2 = -2.4) = -3.0, not clipped     -> loss +0.75, gradient 0.75
//   token 2: min(1.0, 0.8 * 2 = 1.6) = 1.0, not clipped         -> loss -0.25, gradient -0.25
//   token 3: min(-1.0, 0.8 * -2 = -1.6) = -1.6, clipped low     -> loss +0.4,  gradient 0
TEST(GrpoLoss, HandWorkedRatiosAwayFromOne) {
  const std::vector<float> old_log_probs(4, -1.0F);
  const auto high = static_cast<float>(-1.0 + std::log(1.5));
  const auto low = static_cast<float>(-1.0 + std::log(0.5));
  const std::vector<float> new_log_probs = {high, high, low, low};
  const std::vector<float> advantages = {2, -2, 2, -2};
  const std::vector<float> entropies = {1, 2, 3, 4};
  std::vector<float> gradient(4);
  const GrpoLossSums sums = grpo_loss(new_log_probs, old_log_probs, advantages, entropies, 4.0, {}, gradient);
  EXPECT_NEAR(sums.loss, -0.6 + 0.75 - 0.25 + 0.4, 1e-6);
  EXPECT_NEAR(gradient[0], 0.0, 0);
  EXPECT_NEAR(gradient[1], 0.75, 1e-6);
  EXPECT_NEAR(gradient[2], -0.25, 1e-6);
  EXPECT_NEAR(gradient[3], 0.0, 0);
  EXPECT_EQ(sums.clipped_high, 1);
  EXPECT_EQ(sums.clipped_low, 1);
  EXPECT_NEAR(sums.max_ratio_deviation, 0.5, 1e-6);
  EXPECT_DOUBLE_EQ(sums.entropy, 10.0);
  // k3 of (old - new): exp(d) - 1 - d; ratios 1.5 and 0.5 give 2/3 - 1 + ln 1.5 and 2 - 1 + ln 0.5, twice each.
  EXPECT_NEAR(sums.kl, 2 * (1.5 - 1 - std::log(1.5)) + 2 * (0.5 - 1 - std::log(0.5)), 1e-6);
}

TEST(GrpoLoss, AsymmetricClipUsesEachSide) {
  const std::vector<float> old_log_probs = {0.0F, 0.0F};
  const std::vector<float> new_log_probs = {std::log(1.25F), std::log(0.75F)};
  const std::vector<float> advantages = {1, -1};
  const std::vector<float> entropies = {0, 0};
  std::vector<float> gradient(2);
  grpo_loss(new_log_probs, old_log_probs, advantages, entropies, 1.0, {.clip_low = 0.3F, .clip_high = 0.28F}, gradient);
  EXPECT_NE(gradient[0], 0.0F);
  EXPECT_NE(gradient[1], 0.0F);
  grpo_loss(new_log_probs, old_log_probs, advantages, entropies, 1.0, {.clip_low = 0.2F, .clip_high = 0.2F}, gradient);
  EXPECT_EQ(gradient[0], 0.0F);
  EXPECT_EQ(gradient[1], 0.0F);
}

TEST(GrpoLoss, GradientMatchesFiniteDifferences) {
  const std::vector<float> old_log_probs = {-1.0F, -0.5F, -2.0F, -0.1F, -3.0F};
  const std::vector<float> advantages = {1.5F, -0.5F, 0.25F, -2.0F, 0.0F};
  const std::vector<float> entropies(5, 0.0F);
  std::vector<float> new_log_probs = {-1.125F, -0.25F, -1.5F, -0.125F, -2.0F};
  std::vector<float> gradient(5);
  grpo_loss(new_log_probs, old_log_probs, advantages, entropies, 7.0, {}, gradient);
  std::vector<float> unused(5);
  for (std::size_t i = 0; i < 5; ++i) {
    constexpr float kStep = 0x1p-8F;  // exact in f32 around these values
    const float centre = new_log_probs[i];
    new_log_probs[i] = centre + kStep;
    const double up = grpo_loss(new_log_probs, old_log_probs, advantages, entropies, 7.0, {}, unused).loss;
    new_log_probs[i] = centre - kStep;
    const double down = grpo_loss(new_log_probs, old_log_probs, advantages, entropies, 7.0, {}, unused).loss;
    new_log_probs[i] = centre;
    // Central differences of exp: relative error step^2 / 6.
    EXPECT_NEAR((up - down) / (2.0 * static_cast<double>(kStep)), gradient[i], 1e-5 + 1e-5 * std::abs(gradient[i]));
  }
}

TEST(GrpoLoss, OnPolicyLossIsMinusTheMeanAdvantage) {
  const std::vector<float> log_probs = {-1.0F, -0.5F};
  const std::vector<float> advantages = {1.0F, -1.0F};
  const std::vector<float> entropies = {0, 0};
  std::vector<float> gradient(2);
  const GrpoLossSums sums = grpo_loss(log_probs, log_probs, advantages, entropies, 2.0, {}, gradient);
  EXPECT_EQ(sums.loss, 0.0);
  EXPECT_EQ(sums.kl, 0.0);
  EXPECT_EQ(sums.max_ratio_deviation, 0.0);
  EXPECT_EQ(gradient[0], -0.5F);
  EXPECT_EQ(gradient[1], 0.5F);
}

}  // namespace
}  // namespace plumb
