#include "actor/sampling.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace plumb {
namespace {

std::vector<float> some_logits(std::size_t size) {
  const RngStream stream(RngPurpose::kInit, 11);
  std::vector<float> logits(size);
  for (std::size_t i = 0; i < size; ++i) {
    logits[i] = 4.0F * stream.uniform(static_cast<std::uint32_t>(i)) - 2.0F;
  }
  return logits;
}

std::vector<double> softmax(const std::vector<float>& logits, double temperature) {
  std::vector<double> p;
  double sum = 0;
  for (const float logit : logits) {
    p.push_back(std::exp(static_cast<double>(logit) / temperature));
    sum += p.back();
  }
  for (double& each : p) {
    each /= sum;
  }
  return p;
}

TEST(SampleToken, FrequenciesFollowTheSoftmax) {
  const std::vector<float> logits = some_logits(600);  // more than two blocks
  for (const float temperature : {1.0F, 0.5F, 2.0F}) {
    const std::vector<double> p = softmax(logits, static_cast<double>(temperature));
    constexpr int kDraws = 200000;
    std::vector<int> counts(logits.size());
    std::vector<float> scratch;
    const RngStream stream(RngPurpose::kSampling, 3);
    for (std::uint32_t i = 0; i < kDraws; ++i) {
      ++counts[static_cast<std::size_t>(sample_token(logits, temperature, stream, i, scratch).id)];
    }
    double chi_squared = 0;
    for (std::size_t v = 0; v < logits.size(); ++v) {
      const double expected = p[v] * kDraws;
      chi_squared += (counts[v] - expected) * (counts[v] - expected) / expected;
    }
    // 599 degrees of freedom: mean 599, standard deviation sqrt(2 * 599) = 34.6; five of them.
    EXPECT_LT(chi_squared, 599 + 5 * 34.7) << temperature;
  }
}

TEST(SampleToken, LogProbIsOfTheSampledDistribution) {
  const std::vector<float> logits = some_logits(300);
  std::vector<float> scratch;
  for (const float temperature : {1.0F, 0.7F}) {
    const std::vector<double> p = softmax(logits, static_cast<double>(temperature));
    for (std::uint32_t i = 0; i < 50; ++i) {
      const SampledToken token = sample_token(logits, temperature, RngStream(RngPurpose::kSampling, 1), i, scratch);
      EXPECT_NEAR(token.log_prob, std::log(p[static_cast<std::size_t>(token.id)]), 1e-5);
    }
  }
}

TEST(SampleToken, ZeroTemperatureTakesTheFirstLargest) {
  std::vector<float> logits(100, 0.0F);
  logits[40] = 1.0F;
  logits[70] = 1.0F;
  std::vector<float> scratch;
  EXPECT_EQ(sample_token(logits, 0.0F, RngStream(RngPurpose::kSampling, 1), 0, scratch).id, 40);
}

// At the upper end of the unit interval rounding may leave more mass than the kept tokens have; the blocks behind them
// are empty and must not be entered.
TEST(SampleToken, BlocksWithoutMassAreNeverEntered) {
  const RngStream stream(RngPurpose{}, 7, 99);
  constexpr std::uint32_t kPosition = 19127718;  // draws the largest number below 1
  ASSERT_EQ(stream.uniform(kPosition), 1.0F - std::numeric_limits<float>::epsilon() / 2);
  std::vector<float> scratch;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    std::vector<float> logits(20 * 256, -1e30F);
    for (std::uint32_t v = 0; v < 700; ++v) {
      logits[v] = 8.0F * RngStream(RngPurpose::kInit, seed).uniform(v);
    }
    ASSERT_LT(sample_token(logits, 1.0F, stream, kPosition, scratch).id, 700) << seed;
  }
}

TEST(SampleToken, TokensWithoutMassAreNeverDrawn) {
  std::vector<float> logits(512, -200.0F);
  logits[17] = 0.0F;
  logits[300] = 0.0F;
  std::vector<float> scratch;
  for (std::uint32_t i = 0; i < 2000; ++i) {
    const std::int32_t id = sample_token(logits, 1.0F, RngStream(RngPurpose::kSampling, 5), i, scratch).id;
    EXPECT_TRUE(id == 17 || id == 300) << id;
  }
}

}  // namespace
}  // namespace plumb
