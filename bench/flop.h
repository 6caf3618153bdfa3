#pragma once
// Floating-point operations that a result needs, for a model's share of the machine's limit.

#include <cstdint>

#include "policy/model_config.h"

namespace plumb {

/// `num_tokens` consecutive tokens of one sequence, the first at `start_position`, and how many of their rows need
/// logits.
struct TokenRun {
  std::int64_t start_position = 0;
  std::int64_t num_tokens = 0;
  std::int64_t num_logit_rows = 0;
};

/// Of a forward: 2 for each weight of a product and row (of routed experts the chosen ones), and 2 H (d + e) for
/// each layer, row and key that it sees. Latent attention counts as it is trained, latents projected up.
double forward_flop(const ModelConfig& config, const TokenRun& run);

/// Of forward and backward: three times the forward.
double training_flop(const ModelConfig& config, const TokenRun& run);

}  // namespace plumb
