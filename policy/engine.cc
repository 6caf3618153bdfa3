#include "policy/engine.h"

namespace plumb {

Engine::Engine(const ModelConfig& model, ComputeDtype compute_dtype, ThreadPool& thread_pool, Weights& model_weights)
    : config(model),
      dtype(compute_dtype),
      pool(thread_pool),
      weights(model_weights),
      attention{.num_heads = model.num_heads, .num_kv_heads = model.num_kv_heads, .head_dim = model.head_dim},
      rope(model.max_positions, model.head_dim, model.rope_theta),
      workers(),
      product_scratch(static_cast<std::size_t>(thread_pool.num_threads())) {
  for (int worker = 0; worker < thread_pool.num_threads(); ++worker) {
    workers.emplace_back(compute_dtype);
  }
}

void Engine::multiply(const PackedMatrix& matrix, const Operand& x, const RowBlock& block, float* y) {
  const auto panel_task = [&](std::int64_t panel, int worker) {
    matrix.multiply_panel(panel, x.row(0), block.size(), y, false, product_scratch[static_cast<std::size_t>(worker)]);
  };
  if (block.pool != nullptr) {
    block.pool->parallel_for(matrix.num_panels(), panel_task);
    return;
  }
  for (std::int64_t panel = 0; panel < matrix.num_panels(); ++panel) {
    panel_task(panel, block.worker);
  }
}

void Engine::for_rows(const RowBlock& block, const std::function<void(std::int64_t, int)>& body) {
  if (block.pool != nullptr) {
    block.pool->parallel_for(block.size(), [&](std::int64_t index, int worker) { body(block.begin + index, worker); });
    return;
  }
  for (std::int64_t row = block.begin; row < block.end; ++row) {
    body(row, block.worker);
  }
}

}  // namespace plumb
