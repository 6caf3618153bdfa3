#pragma once
// Weights from a formula of a tensor's name, so that goldens need not store them: the same numbers as
// tests/golden/make_families.py makes, bit for bit.

#include <cstdint>
#include <string>
#include <vector>

#include "core/rng.h"
#include "policy/model_layout.h"
#include "policy/policy.h"

namespace plumb::testing {

/// All tensors of a model: norms near 1, the rest between -0.4 and 0.4.
inline std::vector<NamedTensor> formula_weights(const ModelConfig& config) {
  std::vector<NamedTensor> tensors;
  for (const TensorPlace& place : make_layout(config).tensors) {
    const std::uint64_t hashed = stable_hash(place.name);
    NamedTensor tensor{place.name, place.shape, {}};
    const bool norm = place.shape.size() == 1 && !place.name.ends_with(".bias");
    for (std::int64_t i = 0; i < place.size; ++i) {
      std::uint64_t z = hashed + static_cast<std::uint64_t>(i) * 0x9E3779B97F4A7C15ULL;
      z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
      z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
      z ^= z >> 31;
      const auto centred = static_cast<float>(static_cast<std::int64_t>(z >> 53) - 1024);
      const float value = centred * static_cast<float>(0.4 / 1024);
      tensor.values.push_back(norm ? 1.0F + 0.5F * value : value);
    }
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

}  // namespace plumb::testing
