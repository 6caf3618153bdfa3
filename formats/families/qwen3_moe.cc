// Qwen3-MoE: Qwen3's attention, fine-grained experts, none shared.

#include "formats/families/family.h"

namespace plumb {
namespace {

void read(ConfigReader& keys, Hyperparameters& h) {
  h.qk_norm = true;
  bool attention_bias = false;
  keys.boolean("attention_bias", attention_bias);
  h.qkv_bias = attention_bias;
  h.o_bias = attention_bias;
  read_optional_window(keys, h);
  keys.required_integer("num_experts", h.moe.num_experts);
  keys.required_integer("num_experts_per_tok", h.moe.top_k);
  keys.required_integer("moe_intermediate_size", h.moe.expert_size);
  keys.boolean("norm_topk_prob", h.moe.normalise);
  keys.integer("decoder_sparse_step", h.moe.sparse_step);
  keys.integers("mlp_only_layers", h.moe.dense_layers);
}

void write(const Hyperparameters& h, nlohmann::ordered_json& config) {
  config["head_dim"] = h.head_dim;
  config["attention_bias"] = h.qkv_bias;
  write_optional_window(h, config);
  config["num_experts"] = h.moe.num_experts;
  config["num_experts_per_tok"] = h.moe.top_k;
  config["moe_intermediate_size"] = h.moe.expert_size;
  config["norm_topk_prob"] = h.moe.normalise;
  config["decoder_sparse_step"] = h.moe.sparse_step;
  config["mlp_only_layers"] = h.moe.dense_layers;
}

}  // namespace

extern const Family kQwen3Moe;
const Family kQwen3Moe = {"qwen3_moe", "Qwen3Moe", read, write};

}  // namespace plumb
