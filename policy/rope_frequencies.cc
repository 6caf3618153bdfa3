#include "policy/rope_frequencies.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "tensor/rope.h"

namespace plumb {
namespace {

constexpr double kTurn = 2.0 * std::numbers::pi;

double yarn_m(const RopeScaling& rope, double t) {
  return rope.factor <= 1 ? 1.0 : 0.1 * t * std::log(static_cast<double>(rope.factor)) + 1.0;
}

double llama3(const RopeScaling& rope, double frequency) {
  const auto factor = static_cast<double>(rope.factor);
  const auto low = static_cast<double>(rope.low_freq_factor);
  const auto high = static_cast<double>(rope.high_freq_factor);
  const double turns = static_cast<double>(rope.original_positions) * frequency / kTurn;
  if (turns > high) {
    return frequency;
  }
  if (turns < low) {
    return frequency / factor;
  }
  const double smooth = (turns - low) / (high - low);
  return (1.0 - smooth) * frequency / factor + smooth * frequency;
}

// The dimension that turns `turns` times in the original context.
double yarn_dimension(const RopeScaling& rope, double turns, double dim, double theta) {
  return dim * std::log(static_cast<double>(rope.original_positions) / (turns * kTurn)) / (2.0 * std::log(theta));
}

std::vector<float> yarn(const RopeScaling& rope, std::int64_t dim, float theta) {
  const auto size = static_cast<double>(dim);
  const auto base = static_cast<double>(theta);
  double low = std::floor(yarn_dimension(rope, static_cast<double>(rope.beta_fast), size, base));
  double high = std::ceil(yarn_dimension(rope, static_cast<double>(rope.beta_slow), size, base));
  low = std::max(low, 0.0);
  high = std::min(high, size - 1);
  if (low == high) {
    high += 0.001;
  }
  std::vector<float> values;
  for (std::int64_t i = 0; i < dim / 2; ++i) {
    const double frequency = 1.0 / std::pow(base, 2.0 * static_cast<double>(i) / size);
    const double ramp = std::clamp((static_cast<double>(i) - low) / (high - low), 0.0, 1.0);
    values.push_back(
        static_cast<float>(frequency / static_cast<double>(rope.factor) * ramp + frequency * (1.0 - ramp)));
  }
  return values;
}

float yarn_factor(const RopeScaling& rope) {
  if (rope.attention_factor != 0) {
    return rope.attention_factor;
  }
  if (rope.mscale != 0 && rope.mscale_all_dim != 0) {
    return static_cast<float>(yarn_m(rope, static_cast<double>(rope.mscale)) /
                              yarn_m(rope, static_cast<double>(rope.mscale_all_dim)));
  }
  return static_cast<float>(yarn_m(rope, 1.0));
}

}  // namespace

RopeFrequencies rope_frequencies(const ModelConfig& config) {
  const RopeScaling& rope = config.rope;
  const std::int64_t dim = config.is_latent() ? config.latent.rope_dim : config.head_dim;
  if (rope.kind == RopeKind::kYarn) {
    return {yarn(rope, dim, config.rope_theta), yarn_factor(rope)};
  }
  RopeFrequencies frequencies{rope_frequencies(dim, config.rope_theta), 1.0F};
  for (float& value : frequencies.values) {
    if (rope.kind == RopeKind::kLinear) {
      value /= rope.factor;
    } else if (rope.kind == RopeKind::kLlama3) {
      value = static_cast<float>(llama3(rope, static_cast<double>(value)));
    }
  }
  return frequencies;
}

float yarn_score_factor(const RopeScaling& rope) {
  if (rope.kind != RopeKind::kYarn || rope.mscale_all_dim == 0) {
    return 1.0F;
  }
  const double m = yarn_m(rope, static_cast<double>(rope.mscale_all_dim));
  return static_cast<float>(m * m);
}

}  // namespace plumb
