#include "bench/flop.h"

#include "policy/model_layout.h"

namespace plumb {
namespace {

// Weights that a row of this layer is multiplied by: of routed experts those of the chosen ones.
std::int64_t layer_weights(const ModelConfig& c, std::int64_t layer) {
  const LatentAttention& latent = c.latent;
  std::int64_t weights = c.hidden_size * (qkv_columns(c) + attended_columns(c) + 3 * c.dense_size(layer));
  if (c.is_latent()) {
    weights += latent.q_rank * c.num_heads * c.head_dim;
    weights += latent.kv_rank * c.num_heads * (latent.nope_dim + latent.value_dim);
  }
  if (c.is_sparse(layer)) {
    weights += c.hidden_size * (3 * c.moe.top_k * c.moe.expert_size + c.moe.num_experts + (c.moe.shared_gate ? 1 : 0));
  }
  return weights;
}

}  // namespace

double forward_flop(const ModelConfig& c, const TokenRun& run) {
  const auto tokens = static_cast<double>(run.num_tokens);
  const double keys = tokens * (static_cast<double>(run.start_position) + (tokens + 1) / 2);
  const std::int64_t of_key = c.num_heads * c.head_dim + attended_columns(c);
  std::int64_t weights = 0;
  for (std::int64_t layer = 0; layer < c.num_layers; ++layer) {
    weights += layer_weights(c, layer);
  }
  return 2.0 * static_cast<double>(weights) * tokens +
         2.0 * static_cast<double>(c.vocab_size * c.hidden_size) * static_cast<double>(run.num_logit_rows) +
         2.0 * static_cast<double>(c.num_layers * of_key) * keys;
}

double training_flop(const ModelConfig& config, const TokenRun& run) {
  return 3.0 * forward_flop(config, run);
}

}  // namespace plumb
