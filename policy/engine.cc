#include "policy/engine.h"

namespace plumb {

void BlockMemory::resize(const ModelConfig& config, std::int64_t rows) {
  normed.resize(rows, config.hidden_size);
  qkv.resize(padded_rows(rows) * (config.num_heads + 2 * config.num_kv_heads) * config.head_dim);
  attended.resize(rows, config.num_heads * config.head_dim);
  activated.resize(rows, config.intermediate_size);
}

Engine::Engine(const ModelConfig& model, ComputeDtype compute_dtype, ThreadPool& thread_pool, Weights& model_weights)
    : config(model),
      dtype(compute_dtype),
      pool(thread_pool),
      weights(model_weights),
      attention{.num_heads = model.num_heads, .num_kv_heads = model.num_kv_heads, .head_dim = model.head_dim},
      rope(model.max_positions, model.head_dim, model.rope_theta),
      team_block(compute_dtype) {
  for (int worker = 0; worker < thread_pool.num_threads(); ++worker) {
    workers.emplace_back(compute_dtype);
  }
}

}  // namespace plumb
