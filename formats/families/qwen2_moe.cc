// Qwen1.5-MoE and Qwen2-MoE: fine-grained experts, and a shared one behind a gate.

#include "formats/families/family.h"

namespace plumb {
namespace {

void read(ConfigReader& keys, Hyperparameters& h) {
  h.qkv_bias = true;
  keys.boolean("qkv_bias", h.qkv_bias);
  read_optional_window(keys, h);
  keys.required_integer("num_experts", h.moe.num_experts);
  keys.required_integer("num_experts_per_tok", h.moe.top_k);
  keys.required_integer("moe_intermediate_size", h.moe.expert_size);
  keys.required_integer("shared_expert_intermediate_size", h.moe.shared_size);
  keys.boolean("norm_topk_prob", h.moe.normalise);
  keys.integer("decoder_sparse_step", h.moe.sparse_step);
  keys.integers("mlp_only_layers", h.moe.dense_layers);
  h.moe.shared_gate = true;
  h.moe.shared_block = "mlp.shared_expert";
}

void write(const Hyperparameters& h, nlohmann::ordered_json& config) {
  write_optional_window(h, config);
  config["qkv_bias"] = h.qkv_bias;
  config["num_experts"] = h.moe.num_experts;
  config["num_experts_per_tok"] = h.moe.top_k;
  config["moe_intermediate_size"] = h.moe.expert_size;
  config["shared_expert_intermediate_size"] = h.moe.shared_size;
  config["norm_topk_prob"] = h.moe.normalise;
  config["decoder_sparse_step"] = h.moe.sparse_step;
  config["mlp_only_layers"] = h.moe.dense_layers;
}

}  // namespace

extern const Family kQwen2Moe;
const Family kQwen2Moe = {"qwen2_moe", "Qwen2Moe", read, write};

}  // namespace plumb
