#include "bench/small_model.h"

#include <string>
#include <utility>
#include <vector>

#include "core/rng.h"

namespace plumb {
namespace {

ModelConfig small_config(std::int64_t max_positions) {
  ModelConfig config;
  config.num_layers = 2;
  config.hidden_size = 128;
  config.num_heads = 4;
  config.num_kv_heads = 2;
  config.head_dim = 32;
  config.intermediate_size = 256;
  config.vocab_size = 4096;
  config.max_positions = max_positions;
  config.tie_embeddings = true;
  return config;
}

class RandomWeights {
 public:
  void add(std::string name, std::vector<std::int64_t> shape) {
    std::int64_t count = 1;
    for (const std::int64_t size : shape) {
      count *= size;
    }
    const RngStream stream(RngPurpose::kInit, 0x6C6F6E67U, static_cast<std::uint64_t>(tensors_.size()));
    NamedTensor tensor{std::move(name), std::move(shape), {}};
    const bool norm = tensor.shape.size() == 1;
    for (std::int64_t i = 0; i < count; ++i) {
      tensor.values.push_back(norm ? 1.0F : 0.2F * (stream.uniform(static_cast<std::uint32_t>(i)) - 0.5F));
    }
    tensors_.push_back(std::move(tensor));
  }
  [[nodiscard]] std::vector<NamedTensor> take() { return std::move(tensors_); }

 private:
  std::vector<NamedTensor> tensors_;
};

}  // namespace

Result<std::unique_ptr<Policy>> small_random_policy(std::int64_t max_positions, ComputeDtype dtype, ThreadPool& pool) {
  const ModelConfig c = small_config(max_positions);
  const std::int64_t d = c.hidden_size;
  RandomWeights weights;
  weights.add("model.embed_tokens.weight", {c.vocab_size, d});
  for (std::int64_t layer = 0; layer < c.num_layers; ++layer) {
    const std::string prefix = "model.layers." + std::to_string(layer) + ".";
    weights.add(prefix + "input_layernorm.weight", {d});
    weights.add(prefix + "self_attn.q_proj.weight", {c.num_heads * c.head_dim, d});
    weights.add(prefix + "self_attn.k_proj.weight", {c.num_kv_heads * c.head_dim, d});
    weights.add(prefix + "self_attn.v_proj.weight", {c.num_kv_heads * c.head_dim, d});
    weights.add(prefix + "self_attn.o_proj.weight", {d, c.num_heads * c.head_dim});
    weights.add(prefix + "post_attention_layernorm.weight", {d});
    weights.add(prefix + "mlp.gate_proj.weight", {c.intermediate_size, d});
    weights.add(prefix + "mlp.up_proj.weight", {c.intermediate_size, d});
    weights.add(prefix + "mlp.down_proj.weight", {d, c.intermediate_size});
  }
  weights.add("model.norm.weight", {d});
  return Policy::create(c, weights.take(), {.dtype = dtype, .pool = &pool, .trainable = false});
}

}  // namespace plumb
