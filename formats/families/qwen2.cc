// Qwen2 and Qwen2.5 (Coder, Math): queries, keys and values with biases.

#include "formats/families/family.h"

namespace plumb {
namespace {

void read(ConfigReader& keys, Hyperparameters& h) {
  h.qkv_bias = true;
  read_optional_window(keys, h);
  keys.only("use_mrope", false);
}

void write(const Hyperparameters& h, nlohmann::ordered_json& config) {
  write_optional_window(h, config);
}

}  // namespace

extern const Family kQwen2;
const Family kQwen2 = {"qwen2", "Qwen2", read, write};

}  // namespace plumb
