// Llama 2 and 3, SmolLM2, TinyLlama.

#include "formats/families/family.h"

namespace plumb {
namespace {

void read(ConfigReader& keys, Hyperparameters& h) {
  read_attention_bias(keys, h);
  keys.boolean("mlp_bias", h.mlp_bias);
}

void write(const Hyperparameters& h, nlohmann::ordered_json& config) {
  config["head_dim"] = h.head_dim;
  config["attention_bias"] = h.qkv_bias;
  config["mlp_bias"] = h.mlp_bias;
  config["pretraining_tp"] = 1;
}

}  // namespace

extern const Family kLlama;
const Family kLlama = {"llama", "Llama", read, write};

}  // namespace plumb
