// Qwen3-MoE: Qwen3's attention, fine-grained experts, none shared.

#include "formats/families/family.h"

namespace plumb {
namespace {

void read(ConfigReader& keys, Hyperparameters& h) {
  h.qk_norm = true;
  read_attention_bias(keys, h);
  read_optional_window(keys, h);
  if (keys.raw("layer_types").is_null()) {
    h.first_windowed_layer = 0;  // transformers' code of this family never looks at max_window_layers
  }
  read_qwen_experts(keys, h);
}

void write(const Hyperparameters& h, nlohmann::ordered_json& config) {
  config["head_dim"] = h.head_dim;
  config["attention_bias"] = h.qkv_bias;
  write_optional_window(h, config);
  write_qwen_experts(h, config);
}

}  // namespace

extern const Family kQwen3Moe;
const Family kQwen3Moe = {"qwen3_moe", "Qwen3Moe", read, write};

}  // namespace plumb
