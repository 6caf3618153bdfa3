#pragma once
// Numbers for tests of kernels: reproducible inputs, and gradients by central differences in f64.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/rng.h"

namespace plumb::testing {

/// Half the distance of two neighbouring f32 numbers, as a share of them: the error of one rounding.
inline constexpr double kUnit = 1.0 / (1 << 24);

/// `count` normal numbers of deviation `scale`, a function of the seed alone.
inline std::vector<float> random_floats(std::int64_t count, std::uint64_t seed, double scale = 1.0) {
  const RngStream stream(RngPurpose::kInit, 77, seed);
  std::vector<float> values;
  for (std::int64_t i = 0; i < count; ++i) {
    values.push_back(static_cast<float>(scale * stream.normal(static_cast<std::uint32_t>(i))));
  }
  return values;
}

inline std::vector<double> widen(const std::vector<float>& values) {
  return {values.begin(), values.end()};
}

/// Central differences of `objective` at `x`, one coordinate after the other. Their own error is some 1e-9 of the
/// objective's scale.
inline std::vector<double> central_differences(const std::function<double(const std::vector<double>&)>& objective,
                                               std::vector<double> x) {
  constexpr double kStep = 1e-5;
  std::vector<double> gradient;
  for (double& coordinate : x) {
    const double before = coordinate;
    coordinate = before + kStep;
    const double above = objective(x);
    coordinate = before - kStep;
    const double below = objective(x);
    coordinate = before;
    gradient.push_back((above - below) / (2 * kStep));
  }
  return gradient;
}

/// Every |found - expected| is at most `tolerance` times the largest |expected| (a NaN is not).
inline void expect_close(const std::vector<float>& found, const std::vector<double>& expected, double tolerance,
                         const std::string& what) {
  ASSERT_EQ(found.size(), expected.size()) << what;
  double scale = 0;
  for (const double value : expected) {
    scale = std::max(scale, std::abs(value));
  }
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double error = std::abs(static_cast<double>(found[i]) - expected[i]);
    ASSERT_TRUE(error <= tolerance * scale)
        << what << "[" << i << "] is " << found[i] << ", not " << expected[i] << " (scale " << scale << ")";
  }
}

}  // namespace plumb::testing
