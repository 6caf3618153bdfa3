#include "policy/engine.h"

#include <optional>
#include <string>

namespace plumb {

void BlockMemory::resize(const ModelConfig& config, std::int64_t rows) {
  normed.resize(rows, config.hidden_size);
  qkv.resize(padded_rows(rows) * (config.num_heads + 2 * config.num_kv_heads) * config.head_dim);
  attended.resize(rows, config.num_heads * config.head_dim);
  activated.resize(rows, config.intermediate_size);
}

void LayerActivations::resize(const ModelConfig& config, const AttentionShape& shape, std::int64_t rows) {
  q.resize(rows * shape.num_heads * shape.padded_dim());
  log_sum_exp.resize(rows * shape.num_heads);
  attended.resize(rows, shape.num_heads * shape.head_dim);
  x_mid.resize(rows * config.hidden_size);
  gate_up.resize(rows, 2 * config.intermediate_size);
}

void LayerTape::resize(const ModelConfig& config, const AttentionShape& shape, ComputeDtype dtype, std::int64_t rows) {
  held_layer = -1;
  inputs.resize(static_cast<std::size_t>(config.num_layers));
  for (AlignedBuffer<float>& input : inputs) {
    input.resize(rows * config.hidden_size);
  }
  const auto num_kept = static_cast<std::size_t>(checkpoints ? 1 : config.num_layers);
  if (layers.size() > num_kept) {  // the tape turned to checkpoints: the rest is given back
    layers.erase(layers.begin() + static_cast<std::ptrdiff_t>(num_kept), layers.end());
  }
  while (layers.size() < num_kept) {
    layers.emplace_back(dtype);
  }
  for (LayerActivations& layer : layers) {
    layer.resize(config, shape, rows);
  }
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

namespace {

class Prover {
 public:
  explicit Prover(const Engine& engine) : threads_(engine.pool.num_threads()) {}

  // The ranges that one thread alone and each member of a team take of `matrix`: whole shares, or `pieces` of them.
  void add(const std::string& name, const PackedMatrix& matrix, bool pieces) {
    ProductProof proof{name, matrix.rows(), matrix.columns(), {}};
    std::vector<PanelRange> ranges;
    const auto add_share = [&](PanelRange share) {
      if (pieces) {
        for_pieces(share, [&](PanelRange piece) { ranges.push_back(piece); });
      } else {
        ranges.push_back(share);
      }
    };
    add_share(matrix.all_panels());
    for (int member = 0; member < threads_; ++member) {
      add_share(share_of(matrix.all_panels(), member, threads_));
    }
    proof.trials = matrix.try_tiles(ranges);
    proofs_.push_back(std::move(proof));
  }
  void add_backward(const std::string& name, const std::optional<PackedMatrix>& matrix, bool pieces) {
    if (matrix) {
      add(name + ", backward", *matrix, pieces);
    }
  }
  [[nodiscard]] std::vector<ProductProof> take() { return std::move(proofs_); }

 private:
  int threads_;
  std::vector<ProductProof> proofs_;
};

}  // namespace

std::vector<ProductProof> prove_products(const Engine& engine) {
  Prover prover(engine);
  const Weights& weights = engine.weights;
  const PackedLayer& layer = weights.packed(0);  // all layers have the same shapes
  prover.add("qkv", layer.qkv.forward, false);
  prover.add("o", layer.o.forward, true);
  prover.add("gate and up", layer.gate, true);
  prover.add("down", layer.down.forward, true);
  prover.add("head", weights.head_forward(), true);
  prover.add_backward("qkv", layer.qkv.backward, false);
  prover.add_backward("o", layer.o.backward, false);
  prover.add_backward("gate and up", layer.gate_up_backward, false);
  prover.add_backward("down", layer.down.backward, true);
  if (!weights.head_backward().empty()) {
    prover.add("head, backward", weights.head_backward().front(), false);
    prover.add("last of head, backward", weights.head_backward().back(), false);
  }
  return prover.take();
}

}  // namespace plumb
