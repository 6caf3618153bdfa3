#pragma once
// The numbers that fix a transformer's shape, whatever file they came from.

#include <cstdint>
#include <string>

namespace plumb {

/// A decoder of the Llama family: RMSNorm, rotary positions, grouped-query attention, SwiGLU. Letters: docs/shapes.md.
struct ModelConfig {
  std::string architecture = "llama";
  std::int64_t num_layers = 0;         // L
  std::int64_t hidden_size = 0;        // D
  std::int64_t num_heads = 0;          // H
  std::int64_t num_kv_heads = 0;       // K, divides H
  std::int64_t head_dim = 0;           // usually D / H
  std::int64_t intermediate_size = 0;  // F
  std::int64_t vocab_size = 0;         // V
  std::int64_t max_positions = 0;      // longest context the model was made for
  float rope_theta = 10000.0F;
  float rms_norm_eps = 1e-5F;
  bool tie_embeddings = false;
};

}  // namespace plumb
