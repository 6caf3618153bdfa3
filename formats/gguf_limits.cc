#include "formats/gguf_limits.h"

#include <string>

#include "formats/gguf_parts.h"
#include "formats/gguf_rope.h"
#include "formats/gguf_tokenizer.h"

namespace plumb {
namespace {

const char* activation_name(Activation activation) {
  switch (activation) {
    case Activation::kSilu:
      return "silu";
    case Activation::kGelu:
      return "gelu";
    case Activation::kGeluTanh:
      return "gelu_pytorch_tanh";
    case Activation::kRelu:
      return "relu";
  }
  return "";
}

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

Result<void> check_rope(const Hyperparameters& h) {
  const RopeScaling& rope = h.rope;
  if (rope.kind == RopeKind::kDynamic) {
    return Error{"its rotary scaling is dynamic, but none, linear, yarn and llama3 have a place"};
  }
  if (rope.kind == RopeKind::kLlama3) {
    return check_llama3_rope(h);
  }
  RopeScaling written;  // what the header has room for
  written.kind = rope.kind;
  written.factor = rope.factor;
  written.original_positions = rope.original_positions;
  if (rope != written) {
    return Error{
        "its yarn scaling has a beta_fast, beta_slow, attention_factor, mscale or mscale_all_dim other than 32, 1, "
        "none, "
        "none and none, for which GGUF has no place"};
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

// Readers take `normalise` from the family, and every layer for a sparse one.
Result<void> check_experts(const Hyperparameters& h) {
  const MixtureOfExperts& moe = h.moe;
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
