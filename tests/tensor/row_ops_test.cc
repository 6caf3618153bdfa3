// The ops of one row against f64: rms_norm, rope, swiglu, log-softmax, and their gradients against central differences
// of the f64 version. Lengths with and without a rest of 16.

#include <gtest/gtest.h>

#include "tensor/log_softmax.h"
#include "tensor/rms_norm.h"
#include "tensor/rope.h"
#include "tensor/swiglu.h"
#include "tests/support/numeric.h"

namespace plumb {
namespace {

using testing::central_differences;
using testing::expect_close;
using testing::kUnit;
using testing::random_floats;
using testing::widen;

class RowOps : public ::testing::TestWithParam<std::int64_t> {};

double dot_f64(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    sum += a[i] * b[i];
  }
  return sum;
}

std::vector<double> rms_norm_f64(const std::vector<double>& x, const std::vector<double>& weight, double epsilon) {
  const double scale = 1.0 / std::sqrt(dot_f64(x, x) / static_cast<double>(x.size()) + epsilon);
  std::vector<double> y;
  for (std::size_t i = 0; i < x.size(); ++i) {
    y.push_back(x[i] * scale * weight[i]);
  }
  return y;
}

TEST_P(RowOps, RmsNorm) {
  const std::int64_t n = GetParam();
  const float epsilon = 1e-5F;
  const auto x = random_floats(n, 1);
  const auto weight = random_floats(n, 2);
  const auto dy = random_floats(n, 3);
  std::vector<float> y(x.size());
  rms_norm(x.data(), weight.data(), n, epsilon, y.data());
  // A root of a sum of n squares, then two products.
  expect_close(y, rms_norm_f64(widen(x), widen(weight), static_cast<double>(epsilon)),
               kUnit * (4 + std::sqrt(static_cast<double>(n))), "y");

  auto dx = random_floats(n, 4);
  auto d_weight = random_floats(n, 5);
  const auto dx_before = dx;
  const auto d_weight_before = d_weight;
  rms_norm_backward(x.data(), weight.data(), dy.data(), n, epsilon, dx.data(), d_weight.data());
  const auto by_x = central_differences(
      [&](const auto& v) { return dot_f64(rms_norm_f64(v, widen(weight), static_cast<double>(epsilon)), widen(dy)); },
      widen(x));
  const auto by_weight = central_differences(
      [&](const auto& v) { return dot_f64(rms_norm_f64(widen(x), v, static_cast<double>(epsilon)), widen(dy)); },
      widen(weight));
  std::vector<double> dx_after;
  std::vector<double> d_weight_after;
  for (std::size_t i = 0; i < dx.size(); ++i) {
    dx_after.push_back(static_cast<double>(dx_before[i]) + by_x[i]);
    d_weight_after.push_back(static_cast<double>(d_weight_before[i]) + by_weight[i]);
  }
  expect_close(dx, dx_after, kUnit * (20 + 2 * static_cast<double>(n)), "dx");
  expect_close(d_weight, d_weight_after, kUnit * (20 + std::sqrt(static_cast<double>(n))), "d_weight");
}

std::vector<double> swiglu_f64(const std::vector<double>& gate, const std::vector<double>& up) {
  std::vector<double> y;
  for (std::size_t i = 0; i < gate.size(); ++i) {
    y.push_back(gate[i] / (1.0 + std::exp(-gate[i])) * up[i]);
  }
  return y;
}

TEST_P(RowOps, Swiglu) {
  const std::int64_t n = GetParam();
  const auto gate = random_floats(n, 11, 3.0);
  const auto up = random_floats(n, 12);
  const auto dy = random_floats(n, 13);
  std::vector<float> y(gate.size());
  swiglu(gate.data(), up.data(), n, y.data());
  expect_close(y, swiglu_f64(widen(gate), widen(up)), 8 * kUnit, "y");
  std::vector<float> d_gate(gate.size());
  std::vector<float> d_up(gate.size());
  swiglu_backward(gate.data(), up.data(), dy.data(), n, d_gate.data(), d_up.data());
  expect_close(
      d_gate,
      central_differences([&](const auto& v) { return dot_f64(swiglu_f64(v, widen(up)), widen(dy)); }, widen(gate)),
      20 * kUnit, "d_gate");
  expect_close(
      d_up,
      central_differences([&](const auto& v) { return dot_f64(swiglu_f64(widen(gate), v), widen(dy)); }, widen(up)),
      20 * kUnit, "d_up");
}

TEST_P(RowOps, SwigluMayOverwriteItsInput) {
  const std::int64_t n = GetParam();
  auto gate = random_floats(n, 11, 3.0);
  const auto up = random_floats(n, 12);
  std::vector<float> apart(gate.size());
  swiglu(gate.data(), up.data(), n, apart.data());
  swiglu(gate.data(), up.data(), n, gate.data());
  EXPECT_EQ(gate, apart);
}

TEST_P(RowOps, PiecesOfSwigluHaveTheSameBits) {
  const std::int64_t n = GetParam();
  const auto gate = random_floats(n, 11, 3.0);
  const auto up = random_floats(n, 12);
  std::vector<float> whole(gate.size());
  std::vector<float> pieces(gate.size());
  swiglu(gate.data(), up.data(), n, whole.data());
  for (std::int64_t i = 0; i < n; i += 7) {
    swiglu(gate.data() + i, up.data() + i, std::min<std::int64_t>(7, n - i), pieces.data() + i);
  }
  EXPECT_EQ(pieces, whole);
}

struct SoftmaxF64 {
  double log_sum_exp;
  double entropy;
};

SoftmaxF64 softmax_f64(const std::vector<double>& logits, double inverse_temperature) {
  const double largest = *std::max_element(logits.begin(), logits.end()) * inverse_temperature;
  double mass = 0;
  double moment = 0;
  for (const double logit : logits) {
    const double shifted = logit * inverse_temperature - largest;
    mass += std::exp(shifted);
    moment += std::exp(shifted) * shifted;
  }
  return {largest + std::log(mass), std::log(mass) - moment / mass};
}

TEST_P(RowOps, LogitStats) {
  for (const float temperature : {1.0F, 0.6F, 2.5F}) {
    const auto logits = random_floats(GetParam(), 21, 4.0);
    const LogitStats stats = logit_stats(logits, 1.0F / temperature, nullptr);
    const SoftmaxF64 expected = softmax_f64(widen(logits), static_cast<double>(1.0F / temperature));
    EXPECT_NEAR(static_cast<double>(stats.log_sum_exp), expected.log_sum_exp,
                kUnit * 10 * std::max(1.0, std::abs(expected.log_sum_exp)));
    EXPECT_NEAR(static_cast<double>(stats.entropy), expected.entropy, kUnit * 100);
  }
}

TEST(LogitStatsBlocks, AddUpToTheMass) {
  const auto logits = random_floats(3 * kLogitBlock + 5, 22);
  std::vector<float> blocks = {9.0F};
  const LogitStats stats = logit_stats(logits, 0.5F, &blocks);
  ASSERT_EQ(blocks.size(), 4U);
  double mass = 0;
  for (const float block : blocks) {
    mass += static_cast<double>(block);
  }
  EXPECT_NEAR(std::log(mass) + static_cast<double>(stats.max), static_cast<double>(stats.log_sum_exp), 1e-6);
  EXPECT_EQ(logit_stats(logits, 0.5F, nullptr).log_sum_exp, stats.log_sum_exp);
}

TEST_P(RowOps, LogProbGradient) {
  const std::int64_t n = GetParam();
  const auto logits = random_floats(n, 23, 2.0);
  const auto target = static_cast<std::size_t>(n / 2);
  const float inverse = 1.0F / 0.8F;
  const float weight = -1.7F;
  const LogitStats stats = logit_stats(logits, inverse, nullptr);
  std::vector<float> d_logits(logits.size());
  softmax_backward(logits, inverse, stats, weight, d_logits.data());
  d_logits[target] += weight * inverse;  // the target's own share
  const auto expected = central_differences(
      [&](const auto& v) {
        const double factor = static_cast<double>(inverse);
        return static_cast<double>(weight) * (v[target] * factor - softmax_f64(v, factor).log_sum_exp);
      },
      widen(logits));
  // For one logit the gradient is 0 and has no scale: what is left is the rounding of two numbers near 2.
  if (n == 1) {
    EXPECT_NEAR(static_cast<double>(d_logits[0]), 0.0, 10 * kUnit);
  } else {
    expect_close(d_logits, expected, 100 * kUnit, "d_logits");
  }
}

INSTANTIATE_TEST_SUITE_P(Lengths, RowOps, ::testing::Values(1, 15, 16, 17, 60, 64, 100));

TEST(Rope, RotatesAsComplexNumbers) {
  constexpr std::int64_t kHeadDim = 20;
  constexpr std::int64_t kHeads = 3;
  const float theta = 10000.0F;
  RopeTable table(9000, kHeadDim, theta);
  table.reserve(8001);  // beyond what is there from the start
  const auto x = random_floats(kHeads * kHeadDim, 31);
  for (const std::int64_t position : {0, 1, 31, 299, 8000}) {
    std::vector<double> expected(x.size());
    for (std::int64_t head = 0; head < kHeads; ++head) {
      for (std::int64_t i = 0; i < kHeadDim / 2; ++i) {
        const double frequency = std::pow(static_cast<double>(theta), -2.0 * static_cast<double>(i) / kHeadDim);
        const double angle = static_cast<double>(position) * frequency;
        const auto low = static_cast<std::size_t>(head * kHeadDim + i);
        const auto high = low + kHeadDim / 2;
        const auto a = static_cast<double>(x[low]);
        const auto b = static_cast<double>(x[high]);
        expected[low] = a * std::cos(angle) - b * std::sin(angle);
        expected[high] = b * std::cos(angle) + a * std::sin(angle);
      }
    }
    auto rotated = x;
    table.rotate(rotated.data(), kHeads, position);
    // The angle is rounded to f32: off by at most two roundings of itself.
    expect_close(rotated, expected, kUnit * (4 + 2 * static_cast<double>(position)), "rotated");
    table.rotate_back(rotated.data(), kHeads, position);
    expect_close(rotated, widen(x), 8 * kUnit, "rotated back");
  }
}

}  // namespace
}  // namespace plumb
