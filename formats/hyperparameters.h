#pragma once
// The numbers of a model file that fix the transformer's shape, as this room reads and writes them. policy/ has its own
// struct of the same fields; the application maps one to the other.

#include <cstdint>
#include <string>

#include "core/result.h"

namespace plumb {

/// A decoder of the Llama family. Letters: docs/shapes.md.
struct Hyperparameters {
  std::string architecture = "llama";
  std::int64_t num_layers = 0;         // L
  std::int64_t hidden_size = 0;        // D
  std::int64_t num_heads = 0;          // H
  std::int64_t num_kv_heads = 0;       // K, divides H
  std::int64_t head_dim = 0;           // even; usually D / H
  std::int64_t intermediate_size = 0;  // F
  std::int64_t vocab_size = 0;         // V
  std::int64_t max_positions = 0;      // longest context the model was made for
  float rope_theta = 10000.0F;
  float rms_norm_eps = 1e-5F;
  bool tie_embeddings = false;
};

/// Whether the numbers can be those of a model: all positive and below 2^31, K divides H, an even head_dim, finite
/// positive rope_theta and finite rms_norm_eps >= 0. Errors: the first that is not, by name, with its value.
Result<void> check_hyperparameters(const Hyperparameters& hyperparameters);

}  // namespace plumb
