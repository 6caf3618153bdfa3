#include <string>

#include "formats/gguf_hyperparameters.h"
#include "formats/gguf_parts.h"

namespace plumb {
namespace {

constexpr std::int64_t kSoftmaxGate = 1;

void add_heads(GgufMetadata& to, const Hyperparameters& h, const std::string& prefix) {
  to.number(prefix + "attention.head_count", h.num_heads);
  if (!h.is_latent()) {
    to.number(prefix + "attention.head_count_kv", h.num_kv_heads);
    to.number(prefix + "attention.key_length", h.head_dim);
    to.number(prefix + "attention.value_length", h.head_dim);
    to.number(prefix + "rope.dimension_count", h.head_dim);
    return;
  }
  // As llama.cpp computes it: one key/value head, the latent, for all.
  const LatentAttention& latent = h.latent;
  to.number(prefix + "attention.head_count_kv", 1);
  to.number(prefix + "attention.key_length", latent.kv_rank + latent.rope_dim);
  to.number(prefix + "attention.value_length", latent.kv_rank);
  to.number(prefix + "attention.key_length_mla", latent.nope_dim + latent.rope_dim);
  to.number(prefix + "attention.value_length_mla", latent.value_dim);
  to.number(prefix + "attention.kv_lora_rank", latent.kv_rank);
  to.number(prefix + "attention.q_lora_rank", latent.q_rank);
  to.number(prefix + "rope.dimension_count", latent.rope_dim);
}

void add_rope(GgufMetadata& to, const Hyperparameters& h, const std::string& prefix) {
  to.real(prefix + "rope.freq_base", h.rope_theta);
  if (h.rope.kind == RopeKind::kLinear || h.rope.kind == RopeKind::kYarn) {
    to.text(prefix + "rope.scaling.type", h.rope.kind == RopeKind::kLinear ? "linear" : "yarn");
    to.real(prefix + "rope.scaling.factor", h.rope.factor);
    to.number(prefix + "rope.scaling.original_context_length", h.rope.original_positions);
  }
  if (h.is_latent() && h.rope.kind == RopeKind::kYarn) {
    to.real(prefix + "rope.scaling.yarn_log_multiplier", yarn_log_multiplier(h.rope));
  }
}

void add_experts(GgufMetadata& to, const Hyperparameters& h, const std::string& prefix) {
  const MixtureOfExperts& moe = h.moe;
  if (moe.num_experts == 0) {
    return;
  }
  to.number(prefix + "expert_count", moe.num_experts);
  to.number(prefix + "expert_used_count", moe.top_k);
  to.number(prefix + "expert_feed_forward_length", moe.expert_size);
  if (h.is_latent()) {
    to.number(prefix + "leading_dense_block_count", moe.first_dense);
    to.number(prefix + "expert_shared_count", moe.shared_size / moe.expert_size);
    to.real(prefix + "expert_weights_scale", moe.normalise ? 1.0F : moe.scaling);
    to.flag(prefix + "expert_weights_norm", moe.normalise);
    to.number(prefix + "expert_gating_func", kSoftmaxGate);
  } else if (moe.shared_size > 0) {
    to.number(prefix + "expert_shared_feed_forward_length", moe.shared_size);
  }
}

}  // namespace

void add_gguf_hyperparameters(GgufMetadata& to, const Hyperparameters& h) {
  const std::string prefix = std::string(gguf_architecture(h.architecture)) + ".";
  to.number(prefix + "block_count", h.num_layers);
  to.number(prefix + "context_length", h.max_positions);
  to.number(prefix + "embedding_length", h.hidden_size);
  to.number(prefix + "feed_forward_length", h.intermediate_size);
  to.real(prefix + "attention.layer_norm_rms_epsilon", h.rms_norm_eps);
  to.number(prefix + "vocab_size", h.vocab_size);
  add_heads(to, h, prefix);
  add_rope(to, h, prefix);
  add_experts(to, h, prefix);
}

float yarn_log_multiplier(const RopeScaling& rope) {
  return static_cast<float>(0.1 * static_cast<double>(rope.mscale_all_dim));
}

}  // namespace plumb
