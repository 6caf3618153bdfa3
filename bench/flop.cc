#include "bench/flop.h"

namespace plumb {

double forward_flop(const ModelConfig& c, const TokenRun& run) {
  const std::int64_t width = c.num_heads * c.head_dim;
  const std::int64_t kv_width = c.num_kv_heads * c.head_dim;
  const std::int64_t layer_weights = c.hidden_size * (2 * width + 2 * kv_width + 3 * c.intermediate_size);
  const auto tokens = static_cast<double>(run.num_tokens);
  const double keys = tokens * (static_cast<double>(run.start_position) + (tokens + 1) / 2);
  return 2.0 * static_cast<double>(c.num_layers * layer_weights) * tokens +
         2.0 * static_cast<double>(c.vocab_size * c.hidden_size) * static_cast<double>(run.num_logit_rows) +
         4.0 * static_cast<double>(c.num_layers * width) * keys;
}

double training_flop(const ModelConfig& config, const TokenRun& run) {
  return 3.0 * forward_flop(config, run);
}

}  // namespace plumb
