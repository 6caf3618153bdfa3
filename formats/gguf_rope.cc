#include "formats/gguf_rope.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace plumb {
namespace {

constexpr double kTolerance = 1e-5;  // of writers that compute in f32
constexpr std::int64_t kPublishedContext = 8192;
constexpr std::int64_t kShortestContext = 16;
constexpr std::int64_t kLongestContext = std::int64_t{1} << 20;
constexpr std::size_t kMostCandidates = 16;  // of mixed frequencies, which all point at the same context

// Of the i-th frequency, in turns per position.
double turns_per_position(std::size_t i, std::size_t half, float theta) {
  const double frequency = std::pow(static_cast<double>(theta), -static_cast<double>(i) / static_cast<double>(half));
  return frequency / (2.0 * std::numbers::pi);
}

bool has_factors(const RopeScaling& rope, std::span<const float> factors, float theta) {
  const auto expected = rope_factors(rope, static_cast<std::int64_t>(2 * factors.size()), theta);
  return std::ranges::equal(expected, factors, [](float a, float b) {
    return std::abs(static_cast<double>(a) - static_cast<double>(b)) <= kTolerance * static_cast<double>(a);
  });
}

// The contexts to try: the one that each mixed frequency points at, then those that a file is likely to mean.
std::vector<std::int64_t> contexts(const RopeScaling& rope, std::span<const float> factors, float theta) {
  std::vector<std::int64_t> candidates = {kPublishedContext};
  const auto low = static_cast<double>(rope.low_freq_factor);
  const auto high = static_cast<double>(rope.high_freq_factor);
  const double slowest = 1.0 / static_cast<double>(rope.factor);
  for (std::size_t i = 0; i < factors.size() && candidates.size() < kMostCandidates; ++i) {
    const double smooth = (1.0 / static_cast<double>(factors[i]) - slowest) / (1.0 - slowest);
    const double context = (low + smooth * (high - low)) / turns_per_position(i, factors.size(), theta);
    if (smooth > 0.01 && smooth < 0.99 && context < static_cast<double>(kLongestContext)) {
      candidates.push_back(std::llround(context));
    }
  }
  for (std::int64_t context = kLongestContext; context >= kShortestContext; context /= 2) {
    candidates.push_back(context);
  }
  return candidates;
}

}  // namespace

std::vector<float> rope_factors(const RopeScaling& rope, std::int64_t head_dim, float theta) {
  const auto low = static_cast<double>(rope.low_freq_factor);
  const auto high = static_cast<double>(rope.high_freq_factor);
  const auto factor = static_cast<double>(rope.factor);
  std::vector<float> factors;
  const auto half = static_cast<std::size_t>(head_dim / 2);
  for (std::size_t i = 0; i < half; ++i) {
    const double turns = static_cast<double>(rope.original_positions) * turns_per_position(i, half, theta);
    const double smooth = std::clamp((turns - low) / (high - low), 0.0, 1.0);
    factors.push_back(static_cast<float>(1.0 / ((1.0 - smooth) / factor + smooth)));
  }
  return factors;
}

std::optional<RopeScaling> rope_scaling_of(std::span<const float> factors, float theta) {
  RopeScaling rope;
  rope.kind = RopeKind::kLlama3;
  const bool is_plausible =
      std::ranges::all_of(factors, [](float factor) { return std::isfinite(factor) && factor >= 1; });
  if (!is_plausible || factors.empty()) {
    return std::nullopt;
  }
  // The slowest frequency is divided by the factor itself unless even that one is mixed.
  for (const float factor : {factors.back(), 8.0F, 32.0F, 16.0F, 4.0F, 2.0F}) {
    rope.factor = factor;
    for (const std::int64_t context : contexts(rope, factors, theta)) {
      rope.original_positions = context;
      if (factor > 1 && context >= 1 && has_factors(rope, factors, theta)) {
        return rope;
      }
    }
  }
  return std::nullopt;
}

}  // namespace plumb
