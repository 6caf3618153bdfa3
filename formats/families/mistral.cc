// Mistral: a Llama whose rows may see a window of the latest keys alone.

#include "formats/families/family.h"

namespace plumb {
namespace {

void read(ConfigReader& keys, Hyperparameters& h) {
  if (keys.absent("sliding_window")) {
    h.sliding_window = 4096;  // transformers' default of this family; null is none
  }
  keys.integer("sliding_window", h.sliding_window);
}

void write(const Hyperparameters& h, nlohmann::ordered_json& config) {
  config["head_dim"] = h.head_dim;
  config["sliding_window"] = h.sliding_window > 0 ? nlohmann::ordered_json(h.sliding_window) : nullptr;
}

}  // namespace

extern const Family kMistral;
const Family kMistral = {"mistral", "Mistral", read, write};

}  // namespace plumb
