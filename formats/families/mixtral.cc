// Mixtral: every layer's feed-forward block is one of E experts, top-k of a softmax, the chosen weights divided by
// their sum. With as many key/value heads as heads it is the plain decoder of the published diagrams: multi-head
// attention, RMSNorm, top-2 of N SwiGLU experts.

#include "formats/families/family.h"

namespace plumb {
namespace {

void read(ConfigReader& keys, Hyperparameters& h) {
  if (!keys.has("rms_norm_eps")) {
    h.rms_norm_eps = 1e-5F;  // transformers' default of this family
  }
  if (!keys.has("rope_theta") && keys.raw("rope_parameters").is_null()) {
    h.rope_theta = 1e6F;  // likewise
  }
  keys.integer("sliding_window", h.sliding_window);
  h.moe.num_experts = 8;
  h.moe.top_k = 2;
  keys.integer("num_local_experts", h.moe.num_experts);
  keys.integer("num_experts_per_tok", h.moe.top_k);
  h.moe.expert_size = h.intermediate_size;
  h.moe.normalise = true;
  h.moe.use_mixtral_names();
}

void write(const Hyperparameters& h, nlohmann::ordered_json& config) {
  config["head_dim"] = h.head_dim;
  config["sliding_window"] = h.sliding_window > 0 ? nlohmann::ordered_json(h.sliding_window) : nullptr;
  config["num_local_experts"] = h.moe.num_experts;
  config["num_experts_per_tok"] = h.moe.top_k;
  config["output_router_logits"] = false;
}

}  // namespace

extern const Family kMixtral;
const Family kMixtral = {"mixtral", "Mixtral", read, write};

}  // namespace plumb
