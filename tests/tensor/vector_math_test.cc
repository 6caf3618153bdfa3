// The polynomials against long double, the promise of equal bits in every lane, and the ends of their ranges.

#include "tensor/vector_math.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>

#include "core/rng.h"
#include "tensor/dtype.h"

namespace plumb {
namespace {

// |found - exact| in units of the last place of the f32 next to `exact`.
double ulps(float found, long double exact) {
  const auto nearest = static_cast<float>(exact);
  const float above = std::nextafter(nearest, std::numeric_limits<float>::infinity());
  const auto unit = static_cast<long double>(above) - static_cast<long double>(nearest);
  return static_cast<double>(std::abs(static_cast<long double>(found) - exact) / unit);
}

float in_lane(Lanes (*f)(Lanes), float x) {
  float y = 0;
  f(Lanes(x)).store_first(&y, 1);
  return y;
}

// `count` floats spread evenly over [low, high] and at random.
template <typename Visit>
void sweep(float low, float high, std::uint32_t count, Visit visit) {
  const RngStream random(RngPurpose::kInit, 5);
  for (std::uint32_t i = 0; i <= count; ++i) {
    visit(low + (high - low) * static_cast<float>(i) / static_cast<float>(count));
    visit(low + (high - low) * random.uniform(i));
  }
}

TEST(VectorMath, ExpIsWithinTwoUlp) {
  double worst = 0;
  sweep(-87.3F, 88.7F, 200000,
        [&](float x) { worst = std::max(worst, ulps(exp_approx(x), std::exp(static_cast<long double>(x)))); });
  EXPECT_LE(worst, 2.0);
}

TEST(VectorMath, ExpAtTheEnds) {
  EXPECT_EQ(exp_approx(0.0F), 1.0F);
  EXPECT_EQ(exp_approx(-88.0F), 0.0F);
  EXPECT_EQ(exp_approx(-std::numeric_limits<float>::infinity()), 0.0F);
  EXPECT_EQ(exp_approx(89.0F), std::numeric_limits<float>::infinity());
  EXPECT_EQ(exp_approx(std::numeric_limits<float>::infinity()), std::numeric_limits<float>::infinity());
  EXPECT_TRUE(std::isnan(exp_approx(std::numeric_limits<float>::quiet_NaN())));
}

TEST(VectorMath, LogIsWithinFourUlp) {
  double worst = 0;
  sweep(-87.0F, 88.0F, 200000, [&](float exponent) {
    const float x = std::exp(exponent);
    worst = std::max(worst, ulps(log_approx(x), std::log(static_cast<long double>(x))));
  });
  EXPECT_LE(worst, 4.0);
  EXPECT_EQ(log_approx(1.0F), 0.0F);
}

TEST(VectorMath, SigmoidAndSiluAreWithinFourUlp) {
  double sigmoid = 0;
  double silu = 0;
  sweep(-80.0F, 80.0F, 200000, [&](float x) {
    const long double exact = 1.0L / (1.0L + std::exp(-static_cast<long double>(x)));
    sigmoid = std::max(sigmoid, ulps(in_lane(sigmoid_approx, x), exact));
    if (x != 0) {
      silu = std::max(silu, ulps(in_lane(silu_approx, x), exact * static_cast<long double>(x)));
    }
  });
  EXPECT_LE(sigmoid, 4.0);
  EXPECT_LE(silu, 4.0);
}

TEST(VectorMath, EveryLaneHasTheSameBits) {
  std::array<float, 16> x{};
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = static_cast<float>(i) * 1.37F - 9.1F;
  }
  std::array<float, 16> y{};
  exp_approx(Lanes::load(x.data())).store(y.data());
  for (std::size_t i = 0; i < x.size(); ++i) {
    EXPECT_EQ(y[i], exp_approx(x[i]));
  }
}

TEST(Lanes, RestsAreMasked) {
  std::array<float, 16> x{};
  x.fill(2.0F);
  for (std::int64_t count = 0; count <= 16; ++count) {
    EXPECT_EQ(sum_of(Lanes::load_first(x.data(), count)), 2.0F * static_cast<float>(count));
    EXPECT_EQ(sum_of(Lanes(1.0F).keep_first(count, 3.0F)), static_cast<float>(count + 3 * (16 - count)));
    std::array<float, 16> y{};
    Lanes(5.0F).store_first(y.data(), count);
    for (std::int64_t i = 0; i < 16; ++i) {
      EXPECT_EQ(y[static_cast<std::size_t>(i)], i < count ? 5.0F : 0.0F);
    }
  }
}

TEST(Lanes, DotOfARest) {
  std::array<float, 37> a{};
  a.fill(1.5F);
  EXPECT_EQ(dot(a.data(), a.data(), 37), 37 * 2.25F);
  EXPECT_EQ(dot(a.data(), a.data(), 0), 0.0F);
}

TEST(Bfloat16Numbers, AllRoundTripAndRoundToNearestEven) {
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const Bfloat16 number{static_cast<std::uint16_t>(bits)};
    const float value = to_float(number);
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(to_float(to_bfloat16(value))));
      continue;
    }
    ASSERT_EQ(to_bfloat16(value).bits, number.bits);
    if (std::isinf(value) || std::isinf(to_float({static_cast<std::uint16_t>(bits + 1)}))) {
      continue;
    }
    // Halfway to the next number: the even one of both.
    const float halfway = std::bit_cast<float>((bits << 16) | 0x8000U);
    ASSERT_EQ(to_bfloat16(halfway).bits, (bits & 1U) != 0 ? bits + 1 : bits);
    ASSERT_EQ(to_bfloat16(std::bit_cast<float>((bits << 16) | 0x8001U)).bits, bits + 1);
    ASSERT_EQ(to_bfloat16(std::bit_cast<float>((bits << 16) | 0x7FFFU)).bits, bits);
  }
}

}  // namespace
}  // namespace plumb
