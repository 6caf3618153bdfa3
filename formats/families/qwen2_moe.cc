// Qwen1.5-MoE and Qwen2-MoE: fine-grained experts, and a shared one behind a gate.

#include "formats/families/family.h"

namespace plumb {
namespace {

void read(ConfigReader& keys, Hyperparameters& h) {
  h.qkv_bias = true;
  keys.boolean("qkv_bias", h.qkv_bias);
  read_optional_window(keys, h);
  if (h.sliding_window > 0 && keys.raw("layer_types").is_null()) {
    keys.fail("use_sliding_window",
              "is true, and which layers that means differs between versions of transformers; say it by layer_types");
  }
  read_qwen_experts(keys, h);
  keys.required_integer("shared_expert_intermediate_size", h.moe.shared_size);
  h.moe.shared_gate = true;
  h.moe.shared_block = "mlp.shared_expert";
}

void write(const Hyperparameters& h, nlohmann::ordered_json& config) {
  write_optional_window(h, config);
  config["qkv_bias"] = h.qkv_bias;
  write_qwen_experts(h, config);
  config["shared_expert_intermediate_size"] = h.moe.shared_size;
}

}  // namespace

extern const Family kQwen2Moe;
const Family kQwen2Moe = {"qwen2_moe", "Qwen2Moe", read, write};

}  // namespace plumb
