#pragma once
// Latent attention's up-projection of keys and values: one matrix in a Hugging Face folder, two in a GGUF file.

#include <cstdint>
#include <vector>

#include "formats/hyperparameters.h"

namespace plumb {

/// From kv_b_proj [H * (nope + value), rank] the keys' half, transposed by head: [H, rank, nope].
std::vector<float> latent_keys(const std::vector<float>& joined, std::int64_t num_heads, const LatentAttention& latent);
/// And the values' half: [H, value, rank].
std::vector<float> latent_values(const std::vector<float>& joined, std::int64_t num_heads,
                                 const LatentAttention& latent);
/// The inverse of both.
std::vector<float> join_latent(const std::vector<float>& keys, const std::vector<float>& values, std::int64_t num_heads,
                               const LatentAttention& latent);

}  // namespace plumb
