#pragma once
// Small random Llamas for tests: every weight from a counter-based stream, so a test's model is the same everywhere.

#include <cstdint>
#include <vector>

#include "policy/policy.h"

namespace plumb::testing {

/// A config with grouped heads and sizes that are no multiples of a vector's length.
ModelConfig small_config(bool tie_embeddings);

/// One whose products have several column panels, the last of them narrower.
ModelConfig wide_config();

/// Weights of the right names and shapes for `config`: norms near 1, the rest normal with deviation `scale`.
std::vector<NamedTensor> random_weights(const ModelConfig& config, std::uint64_t seed, float scale = 0.08F);

/// `count` random token ids.
std::vector<std::int32_t> random_tokens(const ModelConfig& config, std::int64_t count, std::uint64_t seed);

}  // namespace plumb::testing
