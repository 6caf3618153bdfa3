#include "policy/model_layout.h"

#include <map>
#include <utility>

namespace plumb {
namespace {

class LayoutMaker {
 public:
  explicit LayoutMaker(const ModelConfig& config) : c_(config) {}

  ModelLayout make();

 private:
  using Shape = std::vector<std::int64_t>;

  std::int64_t place(std::string name, Shape shape);
  void attention(const std::string& prefix, LayerOffsets& layer);
  void plain_attention(const std::string& prefix, LayerOffsets& layer);
  void latent_attention(const std::string& prefix, LayerOffsets& layer);
  void experts(const std::string& prefix, LayerOffsets& layer);
  FeedForwardOffsets feed_forward(const std::string& prefix, std::int64_t size, const MixtureOfExperts& names);

  const ModelConfig& c_;
  ModelLayout layout_;
};

std::int64_t LayoutMaker::place(std::string name, Shape shape) {
  std::int64_t count = 1;
  for (const std::int64_t n : shape) {
    count *= n;
  }
  const std::int64_t offset = layout_.num_values;
  layout_.tensors.push_back({std::move(name), std::move(shape), offset, count});
  layout_.num_values += count;
  return offset;
}

void LayoutMaker::plain_attention(const std::string& prefix, LayerOffsets& layer) {
  const std::int64_t q_rows = c_.num_heads * c_.head_dim;
  const std::int64_t kv_rows = c_.num_kv_heads * c_.head_dim;
  layer.qkv = place(prefix + "q_proj.weight", {q_rows, c_.hidden_size});
  place(prefix + "k_proj.weight", {kv_rows, c_.hidden_size});
  place(prefix + "v_proj.weight", {kv_rows, c_.hidden_size});
  if (c_.qkv_bias) {
    layer.qkv_bias = place(prefix + "q_proj.bias", {q_rows});
    place(prefix + "k_proj.bias", {kv_rows});
    place(prefix + "v_proj.bias", {kv_rows});
  }
  if (c_.qk_norm) {
    layer.q_norm = place(prefix + "q_norm.weight", {c_.head_dim});
    layer.k_norm = place(prefix + "k_norm.weight", {c_.head_dim});
  }
}

void LayoutMaker::latent_attention(const std::string& prefix, LayerOffsets& layer) {
  const LatentAttention& latent = c_.latent;
  const bool q_latent = latent.q_rank > 0;
  layer.qkv = place(prefix + (q_latent ? "q_a_proj.weight" : "q_proj.weight"), {latent_q_columns(c_), c_.hidden_size});
  place(prefix + "kv_a_proj_with_mqa.weight", {latent.kv_rank + latent.rope_dim, c_.hidden_size});
  if (q_latent) {
    layer.q_latent_norm = place(prefix + "q_a_layernorm.weight", {latent.q_rank});
    layer.q_up = place(prefix + "q_b_proj.weight", {c_.num_heads * c_.head_dim, latent.q_rank});
  }
  layer.kv_latent_norm = place(prefix + "kv_a_layernorm.weight", {latent.kv_rank});
  layer.kv_up =
      place(prefix + "kv_b_proj.weight", {c_.num_heads * (latent.nope_dim + latent.value_dim), latent.kv_rank});
}

void LayoutMaker::attention(const std::string& prefix, LayerOffsets& layer) {
  if (c_.is_latent()) {
    latent_attention(prefix, layer);
  } else {
    plain_attention(prefix, layer);
  }
  layer.o = place(prefix + "o_proj.weight", {c_.hidden_size, attended_columns(c_)});
  if (c_.o_bias) {
    layer.o_bias = place(prefix + "o_proj.bias", {c_.hidden_size});
  }
}

FeedForwardOffsets LayoutMaker::feed_forward(const std::string& prefix, std::int64_t size,
                                             const MixtureOfExperts& names) {
  FeedForwardOffsets offsets;
  offsets.size_f = size;
  offsets.gate_up = place(prefix + names.gate_name + ".weight", {size, c_.hidden_size});
  place(prefix + names.up_name + ".weight", {size, c_.hidden_size});
  offsets.down = place(prefix + names.down_name + ".weight", {c_.hidden_size, size});
  if (c_.mlp_bias) {
    offsets.gate_up_bias = place(prefix + names.gate_name + ".bias", {size});
    place(prefix + names.up_name + ".bias", {size});
    offsets.down_bias = place(prefix + names.down_name + ".bias", {c_.hidden_size});
  }
  return offsets;
}

void LayoutMaker::experts(const std::string& prefix, LayerOffsets& layer) {
  const MixtureOfExperts& moe = c_.moe;
  layer.router = place(prefix + moe.block + ".gate.weight", {moe.num_experts, c_.hidden_size});
  for (std::int64_t e = 0; e < moe.num_experts; ++e) {
    layer.experts.push_back(
        feed_forward(prefix + moe.block + ".experts." + std::to_string(e) + ".", moe.expert_size, moe));
  }
  if (moe.shared_size > 0) {
    layer.dense = feed_forward(prefix + moe.shared_block + ".", moe.shared_size, {});
  }
  if (moe.shared_gate) {
    layer.shared_gate = place(prefix + moe.shared_block + "_gate.weight", {1, c_.hidden_size});
  }
}

ModelLayout LayoutMaker::make() {
  layout_.embedding = place("model.embed_tokens.weight", {c_.vocab_size, c_.hidden_size});
  for (std::int64_t index = 0; index < c_.num_layers; ++index) {
    const std::string prefix = "model.layers." + std::to_string(index) + ".";
    LayerOffsets layer;
    layer.input_norm = place(prefix + "input_layernorm.weight", {c_.hidden_size});
    attention(prefix + "self_attn.", layer);
    layer.post_norm = place(prefix + "post_attention_layernorm.weight", {c_.hidden_size});
    if (c_.is_sparse(index)) {
      experts(prefix, layer);
    } else {
      layer.dense = feed_forward(prefix + "mlp.", c_.intermediate_size, {});
    }
    layout_.layers.push_back(std::move(layer));
  }
  layout_.final_norm = place("model.norm.weight", {c_.hidden_size});
  if (c_.value_head) {
    layout_.head = place("score.weight", {1, c_.hidden_size});
  } else {
    layout_.head = c_.tie_embeddings ? layout_.embedding : place("lm_head.weight", {c_.vocab_size, c_.hidden_size});
  }
  return std::move(layout_);
}

}  // namespace

ModelLayout make_layout(const ModelConfig& config) {
  return LayoutMaker(config).make();
}

std::int64_t latent_q_columns(const ModelConfig& config) {
  return config.latent.q_rank > 0 ? config.latent.q_rank : config.num_heads * config.head_dim;
}

std::int64_t qkv_columns(const ModelConfig& config) {
  return config.is_latent() ? latent_q_columns(config) + config.latent.kv_rank + config.latent.rope_dim
                            : (config.num_heads + 2 * config.num_kv_heads) * config.head_dim;
}

std::int64_t attended_columns(const ModelConfig& config) {
  return config.num_heads * (config.is_latent() ? config.latent.value_dim : config.head_dim);
}

ParameterCount count_parameters(const ModelConfig& config) {
  const ModelLayout layout = make_layout(config);
  ParameterCount count{layout.num_values, layout.num_values};
  const MixtureOfExperts& moe = config.moe;
  for (const LayerOffsets& layer : layout.layers) {
    if (!layer.experts.empty()) {
      count.active -= (moe.num_experts - moe.top_k) * 3 * config.hidden_size * moe.expert_size;
    }
  }
  return count;
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  }
  return text + "]";
}

Result<void> check_tensors(const ModelConfig& config, const std::vector<OfferedTensor>& offered) {
  std::map<std::string, const OfferedTensor*> by_name;
  for (const OfferedTensor& tensor : offered) {
    by_name.emplace(tensor.name, &tensor);
  }
  for (const TensorPlace& place : make_layout(config).tensors) {
    const auto found = by_name.find(place.name);
    if (found == by_name.end()) {
      return Error{"the model lacks the tensor " + place.name + " " + shape_text(place.shape) +
                   ", which its configuration asks for; use the files of one model"};
    }
    if (found->second->shape != place.shape) {
      return Error{"the tensor " + place.name + " has the shape " + shape_text(found->second->shape) +
                   ", but the model's configuration asks for " + shape_text(place.shape) +
                   "; use the files of one model"};
    }
    by_name.erase(found);
  }
  if (!by_name.empty()) {
    return Error{"the model holds the tensor " + by_name.begin()->first + " " +
                 shape_text(by_name.begin()->second->shape) +
                 ", which its configuration has no use for; use the files of one model"};
  }
  return {};
}

}  // namespace plumb
