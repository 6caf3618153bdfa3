#include "policy/engine.h"

#include <optional>
#include <set>
#include <string>
#include <tuple>

#include "policy/rope_frequencies.h"

namespace plumb {

namespace {

// Room for `rows` rows of each head, whose padding is zero.
void resize_by_head(Operand& operand, std::int64_t heads, std::int64_t rows, std::int64_t columns) {
  const std::int64_t padded = padded_rows(rows);
  operand.resize(heads * padded, columns);
  for (std::int64_t head = 0; head < heads; ++head) {
    for (std::int64_t row = rows; row < padded; ++row) {
      operand.zero_row(head * padded + row);
    }
  }
}

}  // namespace

void BlockMemory::resize(const ModelConfig& config, std::int64_t rows, bool absorbed) {
  normed.resize(rows, config.hidden_size);
  qkv.resize(padded_rows(rows) * qkv_columns(config));
  attended.resize(rows, attended_columns(config));
  activated.resize(rows, config.intermediate_size);
  if (config.is_latent()) {
    const LatentAttention& latent = config.latent;
    q_latent.resize(rows, latent.q_rank);
    kv_latent.resize(rows, latent.kv_rank);
    q_up.resize(latent.q_rank > 0 ? padded_rows(rows) * config.num_heads * config.head_dim : 0);
    if (absorbed) {
      const std::int64_t by_head = config.num_heads * padded_rows(rows);
      resize_by_head(absorbed_nope, config.num_heads, rows, latent.nope_dim);
      absorbed_queries.resize(by_head * latent.kv_rank);
      resize_by_head(absorbed_attended, config.num_heads, rows, latent.kv_rank);
      absorbed_values.resize(by_head * latent.value_dim);
    } else {
      kv_up.resize(padded_rows(rows) * config.num_heads * (latent.nope_dim + latent.value_dim));
    }
  }
  if (config.moe.num_experts > 0) {
    const std::int64_t places = ExpertOrder::most_places(rows, config.moe.top_k, config.moe.num_experts);
    shared_activated.resize(rows, config.moe.shared_size);
    gathered.resize(places, config.hidden_size);
    expert_activated.resize(places, config.moe.expert_size);
  }
}

void Routes::resize(const ModelConfig& config, std::int64_t rows) {
  logits.resize(rows * config.moe.num_experts);
  experts.resize(rows * config.moe.top_k);
  weights.resize(rows * config.moe.top_k);
  shared_gates.resize(config.moe.shared_gate ? rows : 0);
}

std::int64_t raw_columns(const ModelConfig& config) {
  if (config.is_latent()) {
    return config.latent.q_rank + config.latent.kv_rank;
  }
  return config.qk_norm ? (config.num_heads + config.num_kv_heads) * config.head_dim : 0;
}

void LayerActivations::resize(const ModelConfig& config, const AttentionShape& shape, std::int64_t layer,
                              std::int64_t rows) {
  q.resize(rows * shape.num_heads * shape.padded_dim());
  log_sum_exp.resize(rows * shape.num_heads);
  attended.resize(rows, attended_columns(config));
  x_mid.resize(rows * config.hidden_size);
  gate_up.resize(rows, 2 * config.dense_size(layer));
  raw.resize(rows * raw_columns(config));
  if (config.is_sparse(layer)) {
    expert_gate_up.resize(rows * config.moe.top_k, 2 * config.moe.expert_size);
  }
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
  for (std::size_t i = 0; i < num_kept; ++i) {
    const std::int64_t layer = checkpoints ? config.num_layers - 1 : static_cast<std::int64_t>(i);
    layers[i].resize(config, shape, layer, rows);
  }
  if (config.moe.num_experts > 0) {
    routes.resize(static_cast<std::size_t>(config.num_layers));
    for (std::int64_t layer = 0; layer < config.num_layers; ++layer) {
      routes[static_cast<std::size_t>(layer)].resize(config, config.is_sparse(layer) ? rows : 0);
    }
  }
}

AttentionShape attention_shape(const ModelConfig& config) {
  AttentionShape shape{.num_heads = config.num_heads, .num_kv_heads = config.num_kv_heads, .head_dim = config.head_dim};
  if (config.is_latent()) {
    shape.value_size = config.latent.value_dim;
    shape.score_scale = shape.scale() * yarn_score_factor(config.rope);
  }
  return shape;
}

AttentionShape absorbed_attention_shape(const ModelConfig& config) {
  return {.num_heads = config.num_heads,
          .num_kv_heads = 1,
          .head_dim = config.latent.kv_rank + config.latent.rope_dim,
          .value_size = config.latent.kv_rank,
          .score_scale = attention_shape(config).scale()};
}

RouterShape router_shape(const ModelConfig& config) {
  const MixtureOfExperts& moe = config.moe;
  return {.num_experts = moe.num_experts,
          .top_k = moe.top_k,
          .normalise = moe.normalise,
          .scaling = moe.scaling,
          .num_groups = moe.num_groups,
          .top_groups = moe.top_groups};
}

namespace {

RopeTable rope_table(const ModelConfig& config) {
  const RopeFrequencies frequencies = rope_frequencies(config);
  return {config.max_positions, frequencies.values, frequencies.factor};
}

}  // namespace

Engine::Engine(const ModelConfig& model, const PolicyOptions& options, Weights& model_weights)
    : config(model),
      dtype(options.dtype),
      pool(*options.pool),
      weights(model_weights),
      attention(attention_shape(model)),
      rope(rope_table(model)),
      team_block(options.dtype) {
  if (!options.exact && model.is_latent()) {
    absorbed_attention = absorbed_attention_shape(model);
  }
  for (int worker = 0; worker < pool.num_threads(); ++worker) {
    workers.emplace_back(dtype);
  }
}

namespace {

class Prover {
 public:
  explicit Prover(const Engine& engine) : threads_(engine.pool.num_threads()) {}

  // The ranges that one thread alone and each member of a team take of `matrix`: whole shares, or `pieces` of them.
  // Layers of one shape are proven once.
  void add(const std::string& name, const PackedMatrix& matrix, bool pieces) {
    if (!seen_.emplace(name, matrix.rows(), matrix.columns()).second) {
      return;
    }
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
  void add_weight(const std::string& name, const std::optional<PackedWeight>& weight) {
    if (weight) {
      add(name, weight->forward, false);
      add_backward(name, weight->backward, false);
    }
  }
  void add_feed_forward(const std::string& whose, const PackedFeedForward& packed) {
    add(whose + "gate and up", packed.gate, true);
    add(whose + "down", packed.down.forward, true);
    add_backward(whose + "gate and up", packed.gate_up_backward, false);
    add_backward(whose + "down", packed.down.backward, true);
  }
  [[nodiscard]] std::vector<ProductProof> take() { return std::move(proofs_); }

 private:
  int threads_;
  std::set<std::tuple<std::string, std::int64_t, std::int64_t>> seen_;
  std::vector<ProductProof> proofs_;
};

}  // namespace

std::vector<ProductProof> prove_products(const Engine& engine) {
  Prover prover(engine);
  const Weights& weights = engine.weights;
  for (std::int64_t index = 0; index < engine.config.num_layers; ++index) {
    const PackedLayer& layer = weights.packed(index);
    prover.add("qkv", layer.qkv.forward, false);
    prover.add("o", layer.o.forward, true);
    prover.add_backward("qkv", layer.qkv.backward, false);
    prover.add_backward("o", layer.o.backward, false);
    prover.add_weight("queries of latents", layer.q_up);
    prover.add_weight("keys and values of latents", layer.kv_up);
    if (layer.absorbed) {
      prover.add("queries into latents", layer.absorbed->keys.front(), false);
      prover.add("values out of latents", layer.absorbed->values.front(), false);
    }
    if (layer.dense) {
      prover.add_feed_forward("", *layer.dense);
    }
    if (!layer.experts.empty()) {
      prover.add_feed_forward("expert ", layer.experts.front());
    }
  }
  if (weights.has_vocabulary()) {
    prover.add("head", weights.head_forward(), true);
  }
  if (!weights.head_backward().empty()) {
    prover.add("head, backward", weights.head_backward().front(), false);
    prover.add("last of head, backward", weights.head_backward().back(), false);
  }
  return prover.take();
}

}  // namespace plumb
