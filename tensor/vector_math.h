#pragma once
// exp, log, sigmoid and silu as polynomials over Lanes. The scalar forms are one lane of the vector forms, so that a
// number has the same bits wherever it is computed. Errors: at most 2 ulp for exp and 4 ulp for the others in the range
// where the result is normal (tests/tensor/vector_math_test.cc).

#include <bit>
#include <cstdint>

#include "tensor/lanes.h"

namespace plumb {

/// e^x. 0 below -87.33 (where the result would be subnormal), +infinity above 88.72, NaN for NaN.
inline Lanes exp_approx(Lanes x) {
  constexpr float kLowest = -87.33654F;
  constexpr float kHighest = 88.72283F;
  const Lanes shifter(12582912.0F);  // 1.5 * 2^23: adding it rounds to an integer
  const Lanes clamped = max(Lanes(-87.5F), select_less(Lanes(kHighest), x, Lanes(kHighest), x));
  const Lanes n = fma(clamped, Lanes(1.44269504F), shifter) - shifter;
  Lanes r = fma(n, Lanes(-0.693359375F), clamped);
  r = fma(n, Lanes(2.12194440e-4F), r);
  Lanes p(1.9875691500e-4F);
  p = fma(p, r, Lanes(1.3981999507e-3F));
  p = fma(p, r, Lanes(8.3334519073e-3F));
  p = fma(p, r, Lanes(4.1665795894e-2F));
  p = fma(p, r, Lanes(1.6666665459e-1F));
  p = fma(p, r, Lanes(5.0000001201e-1F));
  p = fma(p, r * r, r) + Lanes(1.0F);
  // 2^128 is no float: the factor is applied in two halves.
  const Lanes half = fma(n, Lanes(0.5F), shifter) - shifter;
  Lanes result = p * power_of_two(half) * power_of_two(n - half);
  result = select_less(x, Lanes(kLowest), Lanes(0.0F), result);
  return select_less(Lanes(kHighest), x, Lanes(std::bit_cast<float>(0x7F800000U)), result);
}

inline float exp_approx(float x) {
  float result = 0;
  exp_approx(Lanes(x)).store_first(&result, 1);
  return result;
}

/// 1 / (1 + e^-x)
inline Lanes sigmoid_approx(Lanes x) {
  return Lanes(1.0F) / (Lanes(1.0F) + exp_approx(Lanes(0.0F) - x));
}

/// x / (1 + e^-x)
inline Lanes silu_approx(Lanes x) {
  return x / (Lanes(1.0F) + exp_approx(Lanes(0.0F) - x));
}

/// The natural logarithm of a finite normal x > 0.
inline float log_approx(float x) {
  auto bits = std::bit_cast<std::uint32_t>(x);
  // x = 2^e * m with m in [sqrt(1/2), sqrt(2))
  const std::uint32_t shifted = bits - 0x3F3504F3U;
  const auto e = static_cast<float>(static_cast<std::int32_t>(shifted) >> 23);
  bits = (shifted & 0x007FFFFFU) + 0x3F3504F3U;
  const float m = std::bit_cast<float>(bits) - 1.0F;
  float p = 7.0376836292e-2F;
  p = std::fma(p, m, -1.1514610310e-1F);
  p = std::fma(p, m, 1.1676998740e-1F);
  p = std::fma(p, m, -1.2420140846e-1F);
  p = std::fma(p, m, 1.4249322787e-1F);
  p = std::fma(p, m, -1.6668057665e-1F);
  p = std::fma(p, m, 2.0000714765e-1F);
  p = std::fma(p, m, -2.4999993993e-1F);
  p = std::fma(p, m, 3.3333331174e-1F);
  const float square = m * m;
  float r = p * square * m;
  r = std::fma(e, -2.12194440e-4F, r);
  r = std::fma(-0.5F, square, r);
  return std::fma(e, 0.693359375F, m + r);
}

}  // namespace plumb
