#include "formats/gguf_limits.h"

#include <string>
#include <tuple>

#include "formats/families/family.h"
#include "formats/gguf_parts.h"
#include "formats/gguf_rope.h"
#include "formats/gguf_tokenizer.h"

namespace plumb {
namespace {

// The file holds what frequencies are divided by; not all parameters can be found again from that.
Result<void> check_llama3_rope(const Hyperparameters& h) {
  if (gguf_architecture(h.architecture) != "llama") {
    return Error{"its rotary scaling is llama3, which llama.cpp reads for the architecture llama alone"};
  }
  const auto factors = rope_factors(h.rope, h.head_dim, h.rope_theta);
  const auto found = rope_scaling_of(factors, h.rope_theta);
  if (!found || rope_factors(*found, h.head_dim, h.rope_theta) != factors) {
    return Error{"its llama3 scaling (factor " + std::to_string(h.rope.factor) + ", low_freq_factor " +
                 std::to_string(h.rope.low_freq_factor) + ", high_freq_factor " +
                 std::to_string(h.rope.high_freq_factor) + ", original_max_position_embeddings " +
                 std::to_string(h.rope.original_positions) +
                 ") could not be found again from the factors that GGUF holds; one with low_freq_factor 1 and "
                 "high_freq_factor 4 could"};
  }
  return {};
}

// llama.cpp computes the factor of scores from mscale_all_dim, and takes sines and cosines to have none.
Result<void> check_latent_rope(const RopeScaling& rope) {
  const bool is_v2 = rope.kind == RopeKind::kYarn && rope.mscale_all_dim != 0 && rope.mscale == rope.mscale_all_dim &&
                     rope.attention_factor == 0 && rope.beta_fast == 32 && rope.beta_slow == 1;
  if (rope.kind != RopeKind::kDefault && !is_v2) {
    return Error{
        "its rotary scaling is neither none nor yarn with equal mscale and mscale_all_dim, beta_fast 32, "
        "beta_slow 1 and no attention_factor, as llama.cpp computes DeepSeek-V2's"};
  }
  return {};
}

Result<void> check_rope(const Hyperparameters& h) {
  const RopeScaling& rope = h.rope;
  if (rope.kind == RopeKind::kDynamic) {
    return Error{"its rotary scaling is dynamic, but none, linear, yarn and llama3 have a place"};
  }
  if (rope.kind == RopeKind::kLlama3) {
    return check_llama3_rope(h);
  }
  if (h.is_latent()) {
    return check_latent_rope(rope);
  }
  for (const auto& [name, value, expected] :
       {std::tuple{"beta_fast", rope.beta_fast, 32.0F}, std::tuple{"beta_slow", rope.beta_slow, 1.0F},
        std::tuple{"attention_factor", rope.attention_factor, 0.0F}, std::tuple{"mscale", rope.mscale, 0.0F},
        std::tuple{"mscale_all_dim", rope.mscale_all_dim, 0.0F}}) {
    if (rope.kind == RopeKind::kYarn && value != expected) {
      return Error{std::string("its yarn scaling has ") + name + " = " + std::to_string(value) +
                   ", which plumb writes to GGUF at its default alone"};
    }
  }
  return {};
}

// Biases that llama.cpp does not look for make it refuse the file.
Result<void> check_biases(const Hyperparameters& h) {
  const std::string& family = h.architecture;
  const bool reads_qkv = family == "llama" || family == "qwen2" || family == "qwen2_moe";
  if ((h.qkv_bias && !reads_qkv) || (h.o_bias && family != "llama")) {
    return Error{"its attention has biases (attention_bias), which llama.cpp does not read for the architecture " +
                 std::string(gguf_architecture(family))};
  }
  return {};
}

// llama.cpp tells DeepSeek-V2-Lite, which projects queries at once, by its layers alone.
Result<void> check_queries(const Hyperparameters& h) {
  if (h.latent.q_rank > 0 && (h.num_layers == 26 || h.num_layers == 27)) {
    return Error{"it has " + std::to_string(h.num_layers) + " layers and q_lora_rank " +
                 std::to_string(h.latent.q_rank) +
                 ", but llama.cpp takes every DeepSeek-V2 of 26 or 27 layers to have none"};
  }
  return {};
}

Result<void> check_deepseek_experts(const MixtureOfExperts& moe) {
  if (moe.num_experts == 0 || moe.shared_size == 0) {
    return Error{std::string("it has no ") + (moe.num_experts == 0 ? "routed" : "shared") +
                 " experts, without which llama.cpp does not read a DeepSeek-V2"};
  }
  if (moe.num_groups > 1) {
    return Error{"its topk_method is group_limited_greedy, but llama.cpp chooses a DeepSeek-V2's experts from all"};
  }
  return {};
}

// Readers take `normalise` from the family, and every layer for a sparse one.
Result<void> check_experts(const Hyperparameters& h) {
  const MixtureOfExperts& moe = h.moe;
  if (h.is_latent()) {
    return check_deepseek_experts(moe);
  }
  if (moe.num_experts == 0) {
    return {};
  }
  if (moe.normalise == (h.architecture == "qwen2_moe")) {
    return Error{std::string("its choice of experts has norm_topk_prob = ") + (moe.normalise ? "true" : "false") +
                 ", but llama.cpp takes a " + h.architecture + " model to have " + (moe.normalise ? "false" : "true")};
  }
  if (moe.sparse_step != 1 || moe.first_dense != 0 || !moe.dense_layers.empty()) {
    return Error{"its experts are not in every layer (decoder_sparse_step " + std::to_string(moe.sparse_step) + ", " +
                 std::to_string(moe.dense_layers.size()) +
                 " layers in mlp_only_layers), as llama.cpp takes them to be"};
  }
  return {};
}

Result<void> check_properties(const Hyperparameters& h) {
  if (gguf_architecture(h.architecture).empty()) {
    return Error{"its family has no GGUF architecture that plumb writes; it writes " + gguf_architectures()};
  }
  if (h.value_head) {
    return Error{"its value head has no place there"};
  }
  if (h.activation != Activation::kSilu) {
    return Error{std::string("its hidden_act is ") + activation_name(h.activation) + ", but llama.cpp computes silu"};
  }
  if (h.sliding_window > 0) {
    return Error{"its sliding window of " + std::to_string(h.sliding_window) +
                 " rows has no place there, and llama.cpp would let rows see all before them"};
  }
  PLUMB_TRY(check_rope(h));
  PLUMB_TRY(check_biases(h));
  PLUMB_TRY(check_queries(h));
  return check_experts(h);
}

}  // namespace

Result<void> check_gguf_limits(const ModelSource& source) {
  const Hyperparameters& h = source.hyperparameters;
  if (const auto checked = check_properties(h); !checked) {
    return Error{"the " + h.architecture + " model cannot be written as GGUF: " + checked.error().message +
                 "; write a Hugging Face folder"};
  }
  return check_gguf_tokenizer(source.tokenizer, h.vocab_size);
}

}  // namespace plumb
