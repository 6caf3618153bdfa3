// Qwen3, dense: queries and keys normed by head; a head dimension of its own.

#include "formats/families/family.h"

namespace plumb {
namespace {

void read(ConfigReader& keys, Hyperparameters& h) {
  if (!keys.has("head_dim")) {
    h.head_dim = 128;  // transformers' default of this family
  }
  h.qk_norm = true;
  read_attention_bias(keys, h);
  read_optional_window(keys, h);
}

void write(const Hyperparameters& h, nlohmann::ordered_json& config) {
  config["head_dim"] = h.head_dim;
  config["attention_bias"] = h.qkv_bias;
  write_optional_window(h, config);
}

}  // namespace

extern const Family kQwen3;
const Family kQwen3 = {"qwen3", "Qwen3", read, write};

}  // namespace plumb
