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
    for (const GgufPart& part : gguf_parts(hyperparameters)) {
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
  [[nodiscard]] std::vector<std::int64_t> shape_of(const std::string& name) const {
    const Hyperparameters& h = hyperparameters;
    const auto is = [&](const char* part) { return name.find(part) != std::string::npos; };
    std::int64_t out = h.hidden_size;
    std::int64_t in = h.hidden_size;
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
      out = h.intermediate_size;
    } else if (is("down_proj")) {
      in = h.intermediate_size;
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

}  // namespace plumb::testing
