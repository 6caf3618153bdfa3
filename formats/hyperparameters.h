#pragma once
// The numbers of a model file that fix what the transformer computes, whatever family and file they come from. One
// struct for all families: a family is a way to read it (formats/families/), not code of its own further on.

#include <cstdint>
#include <string>
#include <vector>

#include "core/result.h"

namespace plumb {

/// What the feed-forward block's gate goes through. kGelu is x Phi(x), kGeluTanh its approximation by tanh.
enum class Activation : std::uint8_t { kSilu, kGelu, kGeluTanh, kRelu };

enum class RopeKind : std::uint8_t { kDefault, kLinear, kDynamic, kLlama3, kYarn };

/// How rotary frequencies are stretched beyond the context that a model was first trained with. What each kind
/// computes: policy/rope_frequencies.h.
struct RopeScaling {
  RopeKind kind = RopeKind::kDefault;
  float factor = 1.0F;
  std::int64_t original_positions = 0;  // the context before stretching
  float low_freq_factor = 1.0F;         // kLlama3
  float high_freq_factor = 4.0F;
  float beta_fast = 32.0F;  // kYarn
  float beta_slow = 1.0F;
  float attention_factor = 0.0F;  // of sine and cosine; 0: from factor and the next two
  float mscale = 0.0F;
  float mscale_all_dim = 0.0F;

  bool operator==(const RopeScaling&) const = default;
};

/// Multi-head latent attention (DeepSeek-V2, arXiv 2405.04434, section 2.1). kv_rank 0: the model has none.
struct LatentAttention {
  std::int64_t q_rank = 0;     // 0: queries are projected at once
  std::int64_t kv_rank = 0;    // width of the latent that keys and values come from
  std::int64_t nope_dim = 0;   // numbers of a head without position
  std::int64_t rope_dim = 0;   // and with: keys share these
  std::int64_t value_dim = 0;  // numbers of a head's value

  bool operator==(const LatentAttention&) const = default;
};

/// Routed experts. num_experts 0: the model has none.
struct MixtureOfExperts {
  std::int64_t num_experts = 0;  // E
  std::int64_t top_k = 0;        // experts of a token
  std::int64_t expert_size = 0;  // F of one expert
  std::int64_t shared_size = 0;  // F of the experts that take every token, as one; 0: none
  bool shared_gate = false;      // the shared expert's output is multiplied by sigmoid(w x)
  bool normalise = false;        // the chosen probabilities are divided by their sum
  float scaling = 1.0F;          // else multiplied by this
  std::int64_t num_groups = 1;   // experts in equal groups, of which a token's experts come from the best
  std::int64_t top_groups = 1;   // so many: device-limited routing
  std::int64_t first_dense = 0;  // layers before this one are dense
  std::int64_t sparse_step = 1;  // layer l may be sparse if (l + 1) mod sparse_step == 0
  std::vector<std::int64_t> dense_layers;

  // Names within a layer, as the family's files have them.
  std::string block = "mlp";            // "<block>.gate.weight" is the router
  std::string gate_name = "gate_proj";  // "<block>.experts.<e>.<name>.weight"
  std::string up_name = "up_proj";
  std::string down_name = "down_proj";
  std::string shared_block;  // "mlp.shared_experts"

  void use_mixtral_names() {
    block = "block_sparse_moe";
    gate_name = "w1";
    up_name = "w3";
    down_name = "w2";
  }

  bool operator==(const MixtureOfExperts&) const = default;
};

/// A decoder. Letters: docs/shapes.md.
struct Hyperparameters {
  std::string architecture = "llama";  // the family: config.json's model_type
  std::int64_t num_layers = 0;         // L
  std::int64_t hidden_size = 0;        // D
  std::int64_t num_heads = 0;          // H
  std::int64_t num_kv_heads = 0;       // K, divides H
  std::int64_t head_dim = 0;           // even; usually D / H
  std::int64_t intermediate_size = 0;  // F of dense layers
  std::int64_t vocab_size = 0;         // V
  std::int64_t max_positions = 0;      // longest context the model was made for
  float rope_theta = 10000.0F;
  float rms_norm_eps = 1e-5F;
  bool tie_embeddings = false;
  Activation activation = Activation::kSilu;
  bool qkv_bias = false;
  bool o_bias = false;
  bool mlp_bias = false;
  bool qk_norm = false;                   // queries and keys are normed by head, before the rotation
  bool value_head = false;                // one number for each row in the place of logits: a reward model
  std::int64_t sliding_window = 0;        // keys that a row sees, itself included; 0: all
  std::int64_t first_windowed_layer = 0;  // layers from here on see the window alone
  RopeScaling rope;
  LatentAttention latent;
  MixtureOfExperts moe;

  [[nodiscard]] bool is_latent() const { return latent.kv_rank > 0; }
  /// Whether layer `layer` has routed experts.
  [[nodiscard]] bool is_sparse(std::int64_t layer) const;
  /// F of the feed-forward block of layer `layer` that takes every token: the dense one, or the shared expert; 0: none.
  [[nodiscard]] std::int64_t dense_size(std::int64_t layer) const {
    return is_sparse(layer) ? moe.shared_size : intermediate_size;
  }
  /// Keys that a row of layer `layer` sees; 0: all before it.
  [[nodiscard]] std::int64_t window_of(std::int64_t layer) const {
    return layer >= first_windowed_layer ? sliding_window : 0;
  }
};

/// Whether the numbers can be those of a model: all positive and below 2^31, K divides H, even rotary dimensions,
/// finite positive rope_theta and finite rms_norm_eps >= 0, no more chosen experts than there are. Errors: the first
/// that is not, by name, with its value.
Result<void> check_hyperparameters(const Hyperparameters& hyperparameters);

}  // namespace plumb
