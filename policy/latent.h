#pragma once
// What forward and backward of latent and windowed attention agree on.

#include <algorithm>
#include <cstdint>
#include <vector>

#include "policy/model_config.h"

namespace plumb {

/// Of the latents' norms, which take no epsilon from the config in any released file.
inline constexpr float kLatentNormEps = 1e-6F;

/// The first key that the row at `position` sees.
inline std::int64_t first_key(const ModelConfig& config, std::int64_t layer, std::int64_t position) {
  const std::int64_t window = config.window_of(layer);
  return window == 0 ? 0 : std::max<std::int64_t>(0, position - window + 1);
}

/// DeepSeek's rotary pairs are neighbours (2i, 2i + 1); the rotation wants them half a head apart. A permutation of
/// queries and keys alike changes no score.
inline void pairs_to_halves(float* x, std::int64_t size) {
  const std::vector<float> before(x, x + size);
  for (std::int64_t i = 0; i < size / 2; ++i) {
    x[i] = before[static_cast<std::size_t>(2 * i)];
    x[size / 2 + i] = before[static_cast<std::size_t>(2 * i + 1)];
  }
}

/// The inverse of pairs_to_halves().
inline void halves_to_pairs(float* x, std::int64_t size) {
  const std::vector<float> before(x, x + size);
  for (std::int64_t i = 0; i < size / 2; ++i) {
    x[2 * i] = before[static_cast<std::size_t>(i)];
    x[2 * i + 1] = before[static_cast<std::size_t>(size / 2 + i)];
  }
}

}  // namespace plumb
