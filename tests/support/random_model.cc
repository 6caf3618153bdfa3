#include "tests/support/random_model.h"

#include <string>

#include "core/rng.h"

namespace plumb::testing {

ModelConfig small_config(bool tie_embeddings) {
  ModelConfig config;
  config.num_layers = 2;
  config.hidden_size = 60;
  config.num_heads = 6;
  config.num_kv_heads = 3;
  config.head_dim = 20;
  config.intermediate_size = 84;
  config.vocab_size = 301;
  config.max_positions = 256;
  config.rope_theta = 10000.0F;
  config.tie_embeddings = tie_embeddings;
  return config;
}

ModelConfig wide_config() {
  ModelConfig config = small_config(true);
  config.hidden_size = 320;
  config.num_heads = 5;
  config.num_kv_heads = 1;
  config.head_dim = 64;
  config.intermediate_size = 900;
  config.vocab_size = 1500;
  return config;
}

std::vector<NamedTensor> random_weights(const ModelConfig& c, std::uint64_t seed, float scale) {
  std::vector<NamedTensor> tensors;
  std::uint32_t index = 0;
  const auto add = [&](const std::string& name, std::vector<std::int64_t> shape) {
    std::int64_t count = 1;
    for (const std::int64_t n : shape) {
      count *= n;
    }
    const RngStream stream(RngPurpose::kInit, seed, index++);
    NamedTensor tensor{name, std::move(shape), {}};
    tensor.values.reserve(static_cast<std::size_t>(count));
    const bool norm = tensor.shape.size() == 1;
    for (std::int64_t i = 0; i < count; ++i) {
      const float centred = 2.0F * stream.uniform(static_cast<std::uint32_t>(i)) - 1.0F;
      tensor.values.push_back(norm ? 1.0F + 0.2F * centred : 1.7F * scale * centred);
    }
    tensors.push_back(std::move(tensor));
  };
  const std::int64_t d = c.hidden_size;
  add("model.embed_tokens.weight", {c.vocab_size, d});
  for (std::int64_t layer = 0; layer < c.num_layers; ++layer) {
    const std::string prefix = "model.layers." + std::to_string(layer) + ".";
    add(prefix + "input_layernorm.weight", {d});
    add(prefix + "self_attn.q_proj.weight", {c.num_heads * c.head_dim, d});
    add(prefix + "self_attn.k_proj.weight", {c.num_kv_heads * c.head_dim, d});
    add(prefix + "self_attn.v_proj.weight", {c.num_kv_heads * c.head_dim, d});
    add(prefix + "self_attn.o_proj.weight", {d, c.num_heads * c.head_dim});
    add(prefix + "post_attention_layernorm.weight", {d});
    add(prefix + "mlp.gate_proj.weight", {c.intermediate_size, d});
    add(prefix + "mlp.up_proj.weight", {c.intermediate_size, d});
    add(prefix + "mlp.down_proj.weight", {d, c.intermediate_size});
  }
  add("model.norm.weight", {d});
  if (!c.tie_embeddings) {
    add("lm_head.weight", {c.vocab_size, d});
  }
  return tensors;
}

std::vector<std::int32_t> random_tokens(const ModelConfig& config, std::int64_t count, std::uint64_t seed) {
  const RngStream stream(RngPurpose::kData, seed);
  std::vector<std::int32_t> ids;
  for (std::int64_t i = 0; i < count; ++i) {
    ids.push_back(static_cast<std::int32_t>(
        stream.below(static_cast<std::uint64_t>(config.vocab_size), static_cast<std::uint32_t>(i))));
  }
  return ids;
}

}  // namespace plumb::testing
