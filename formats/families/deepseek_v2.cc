// DeepSeek-V2, V2-Lite and DeepSeek-Coder-V2 (arXiv 2405.04434): latent attention, dense first layers, fine-grained
// routed experts beside shared ones.

#include "formats/families/family.h"

namespace plumb {
namespace {

void read_latent(ConfigReader& keys, Hyperparameters& h) {
  keys.integer("q_lora_rank", h.latent.q_rank);
  keys.required_integer("kv_lora_rank", h.latent.kv_rank);
  keys.required_integer("qk_nope_head_dim", h.latent.nope_dim);
  keys.required_integer("qk_rope_head_dim", h.latent.rope_dim);
  keys.required_integer("v_head_dim", h.latent.value_dim);
  h.head_dim = h.latent.nope_dim + h.latent.rope_dim;
  keys.only("qk_head_dim", h.head_dim);  // transformers 5 writes the sum, too
  h.num_kv_heads = h.num_heads;
  keys.only("attention_bias", false);
  keys.only("mlp_bias", false);
}

void read_experts(ConfigReader& keys, Hyperparameters& h) {
  std::int64_t num_shared = 0;
  std::string method = "greedy";
  keys.integer("n_routed_experts", h.moe.num_experts);
  keys.integer("n_shared_experts", num_shared);
  keys.integer("num_experts_per_tok", h.moe.top_k);
  keys.integer("moe_intermediate_size", h.moe.expert_size);
  keys.integer("first_k_dense_replace", h.moe.first_dense);
  keys.boolean("norm_topk_prob", h.moe.normalise);
  keys.real("routed_scaling_factor", h.moe.scaling);
  keys.text("topk_method", method);
  std::int64_t num_groups = 1;
  std::int64_t top_groups = 1;
  keys.integer("n_group", num_groups);
  keys.integer("topk_group", top_groups);
  if (method == "group_limited_greedy") {
    h.moe.num_groups = num_groups;
    h.moe.top_groups = top_groups;
  } else if (method != "greedy") {
    keys.fail("topk_method", "is \"" + method + "\"; greedy and group_limited_greedy are supported");
  }
  h.moe.shared_size = num_shared * h.moe.expert_size;
  h.moe.shared_block = "mlp.shared_experts";
  keys.only("scoring_func", "softmax");
  keys.only("moe_layer_freq", 1);
  keys.ignore({"aux_loss_alpha", "seq_aux", "ep_size"});
}

void read(ConfigReader& keys, Hyperparameters& h) {
  read_latent(keys, h);
  read_experts(keys, h);
}

void write(const Hyperparameters& h, nlohmann::ordered_json& config) {
  const bool grouped = h.moe.num_groups > 1;
  config["head_dim"] = h.latent.rope_dim;  // what transformers builds the rotary table for
  config["attention_bias"] = false;
  config["q_lora_rank"] = h.latent.q_rank > 0 ? nlohmann::ordered_json(h.latent.q_rank) : nullptr;
  config["kv_lora_rank"] = h.latent.kv_rank;
  config["qk_nope_head_dim"] = h.latent.nope_dim;
  config["qk_rope_head_dim"] = h.latent.rope_dim;
  config["v_head_dim"] = h.latent.value_dim;
  config["n_routed_experts"] = h.moe.num_experts > 0 ? nlohmann::ordered_json(h.moe.num_experts) : nullptr;
  config["n_shared_experts"] =
      h.moe.shared_size > 0 ? nlohmann::ordered_json(h.moe.shared_size / h.moe.expert_size) : nullptr;
  config["num_experts_per_tok"] = h.moe.top_k;
  config["moe_intermediate_size"] = h.moe.expert_size;
  config["first_k_dense_replace"] = h.moe.first_dense;
  config["moe_layer_freq"] = 1;
  config["norm_topk_prob"] = h.moe.normalise;
  config["routed_scaling_factor"] = shortest_double(h.moe.scaling);
  config["scoring_func"] = "softmax";
  config["topk_method"] = grouped ? "group_limited_greedy" : "greedy";
  config["n_group"] = h.moe.num_groups;
  config["topk_group"] = h.moe.top_groups;
}

}  // namespace

extern const Family kDeepseekV2;
const Family kDeepseekV2 = {"deepseek_v2", "DeepseekV2", read, write};

}  // namespace plumb
