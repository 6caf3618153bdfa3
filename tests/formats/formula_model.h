#pragma once
// A model of any hyperparameters whose weights are made up when they are read, for the tests of formats.

#include <string>
#include <utility>
#include <vector>

#include "core/rng.h"
#include "formats/gguf_parts.h"
#include "formats/model_folder.h"

namespace plumb::testing {

/// Every tensor that gguf_parts() names, with random values that depend on its name.
class FormulaModel final : public ModelSource {
 public:
  explicit FormulaModel(Hyperparameters h) {
    hyperparameters = std::move(h);
    tokenizer.pre_tokenizer = "smollm";
    tokenizer.tokens = {"<s>", "</s>", "a", "b", "ab"};
    tokenizer.kinds = {TokenKind::kSpecial, TokenKind::kSpecial, TokenKind::kNormal, TokenKind::kNormal,
                       TokenKind::kNormal};
    tokenizer.merges = {{"a", "b"}};
    tokenizer.eos_id = 1;
  }

  [[nodiscard]] std::vector<std::string> tensor_names() const override {
    std::vector<std::string> names;
    for (const GgufPart& part : gguf_parts(hyperparameters, true)) {
      names.insert(names.end(), part.sources.begin(), part.sources.end());
    }
    return names;
  }

  [[nodiscard]] Result<SourceTensor> read(const std::string& name) const override {
    SourceTensor tensor{name, shape_of(name), {}};
    std::int64_t count = 1;
    for (const std::int64_t dim : tensor.shape) {
      count *= dim;
    }
    std::uint64_t key = 0;
    for (const char c : name) {
      key = key * 131 + static_cast<unsigned char>(c);
    }
    const RngStream stream(RngPurpose::kInit, 1, key);
    for (std::int64_t i = 0; i < count; ++i) {
      tensor.values.push_back(static_cast<float>(stream.normal(static_cast<std::uint32_t>(i))));
    }
    return tensor;
  }

 private:
  [[nodiscard]] std::int64_t feed_forward_size(const std::string& name) const {
    const MixtureOfExperts& moe = hyperparameters.moe;
    return name.find(".experts.") != std::string::npos        ? moe.expert_size
           : name.find("shared_experts") != std::string::npos ? moe.shared_size
                                                              : hyperparameters.intermediate_size;
  }

  [[nodiscard]] std::vector<std::int64_t> latent_shape_of(const std::string& name) const {
    const Hyperparameters& h = hyperparameters;
    const LatentAttention& latent = h.latent;
    const auto is = [&](const char* part) { return name.find(part) != std::string::npos; };
    return is("q_a_layernorm")    ? std::vector{latent.q_rank}
           : is("kv_a_layernorm") ? std::vector{latent.kv_rank}
           : is("q_a_proj")       ? std::vector{latent.q_rank, h.hidden_size}
           : is("q_b_proj")       ? std::vector{h.num_heads * h.head_dim, latent.q_rank}
           : is("q_proj")         ? std::vector{h.num_heads * h.head_dim, h.hidden_size}
           : is("kv_a_proj")      ? std::vector{latent.kv_rank + latent.rope_dim, h.hidden_size}
           : is("kv_b_proj")      ? std::vector{h.num_heads * (latent.nope_dim + latent.value_dim), latent.kv_rank}
                                  : std::vector{h.hidden_size, h.num_heads * latent.value_dim};
  }

  [[nodiscard]] std::vector<std::int64_t> shape_of(const std::string& name) const override {
    const Hyperparameters& h = hyperparameters;
    const auto is = [&](const char* part) { return name.find(part) != std::string::npos; };
    std::int64_t out = h.hidden_size;
    std::int64_t in = h.hidden_size;
    if (h.is_latent() && is("self_attn")) {
      return latent_shape_of(name);
    }
    if (is("q_norm") || is("k_norm")) {
      return {h.head_dim};
    }
    if (is("embed_tokens") || is("lm_head")) {
      out = h.vocab_size;
    } else if (is("q_proj")) {
      out = h.num_heads * h.head_dim;
    } else if (is("k_proj") || is("v_proj")) {
      out = h.num_kv_heads * h.head_dim;
    } else if (is("o_proj")) {
      in = h.num_heads * h.head_dim;
    } else if (is("gate_proj") || is("up_proj")) {
      out = feed_forward_size(name);
    } else if (is("down_proj")) {
      in = feed_forward_size(name);
    } else if (is("mlp.gate.")) {
      out = h.moe.num_experts;
    }
    return name.ends_with("bias") || is("norm") ? std::vector{out} : std::vector{out, in};
  }
};

/// A dense model of two layers: D 12, H 3, K 1, head 8, F 10, V 9, of which 5 are tokens.
inline Hyperparameters small_dense(const std::string& family) {
  Hyperparameters h;
  h.architecture = family;
  h.num_layers = 2;
  h.hidden_size = 12;
  h.num_heads = 3;
  h.num_kv_heads = 1;
  h.head_dim = 8;
  h.intermediate_size = 10;
  h.vocab_size = 9;
  h.max_positions = 256;
  h.rope.original_positions = 256;
  h.qkv_bias = family == "qwen2";
  h.qk_norm = family == "qwen3";
  return h;
}

/// The same as a DeepSeek-V2: latent rank 5, head 4 + 4, value 6; two experts of three in the second layer, F 5, two
/// shared.
inline Hyperparameters small_deepseek() {
  Hyperparameters h = small_dense("deepseek_v2");
  h.num_kv_heads = h.num_heads;
  h.head_dim = 8;
  h.latent = {.q_rank = 8, .kv_rank = 5, .nope_dim = 4, .rope_dim = 4, .value_dim = 6};
  h.moe.num_experts = 3;
  h.moe.top_k = 2;
  h.moe.expert_size = 5;
  h.moe.shared_size = 10;
  h.moe.shared_block = "mlp.shared_experts";
  h.moe.first_dense = 1;
  return h;
}

}  // namespace plumb::testing
