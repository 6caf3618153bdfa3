#include "formats/gguf_parts.h"

#include <algorithm>
#include <array>
#include <utility>

namespace plumb {
namespace {

struct Architecture {
  std::string_view gguf;
  std::string_view model_type;
  bool experts;
};

// The first line of a family is what is written.
constexpr std::array<Architecture, 8> kArchitectures = {{{"llama", "llama", false},
                                                         {"llama", "mixtral", true},
                                                         {"llama", "mistral", false},
                                                         {"qwen2", "qwen2", false},
                                                         {"qwen3", "qwen3", false},
                                                         {"qwen2moe", "qwen2_moe", true},
                                                         {"qwen3moe", "qwen3_moe", true},
                                                         {"deepseek2", "deepseek_v2", true}}};

class PartList {
 public:
  PartList(const Hyperparameters& h, bool joined_latent)
      : h_(h), pairs_(gguf_architecture(h.architecture) == "llama"), joined_latent_(joined_latent) {}

  std::vector<GgufPart> make() {
    add("token_embd.weight", "model.embed_tokens.weight");
    for (std::int64_t layer = 0; layer < h_.num_layers; ++layer) {
      gguf_ = "blk." + std::to_string(layer) + ".";
      hugging_face_ = "model.layers." + std::to_string(layer) + ".";
      add("attn_norm.weight", "input_layernorm.weight");
      if (h_.is_latent()) {
        latent_attention();
      } else {
        attention();
      }
      add("ffn_norm.weight", "post_attention_layernorm.weight");
      feed_forward(layer);
    }
    gguf_.clear();
    hugging_face_.clear();
    add("output_norm.weight", "model.norm.weight");
    if (!h_.tie_embeddings) {
      add("output.weight", "lm_head.weight");
    }
    return std::move(parts_);
  }

 private:
  void add(const std::string& name, const std::string& source, std::int64_t heads = 0) {
    parts_.push_back({gguf_ + name, {hugging_face_ + source}, pairs_ ? heads : 0, LatentHalf::kNone});
  }

  void latent_attention() {
    if (h_.latent.q_rank > 0) {
      add("attn_q_a.weight", "self_attn.q_a_proj.weight");
      add("attn_q_a_norm.weight", "self_attn.q_a_layernorm.weight");
      add("attn_q_b.weight", "self_attn.q_b_proj.weight");
    } else {
      add("attn_q.weight", "self_attn.q_proj.weight");
    }
    add("attn_kv_a_mqa.weight", "self_attn.kv_a_proj_with_mqa.weight");
    add("attn_kv_a_norm.weight", "self_attn.kv_a_layernorm.weight");
    if (joined_latent_) {
      add("attn_kv_b.weight", "self_attn.kv_b_proj.weight");
    } else {
      add("attn_k_b.weight", "self_attn.kv_b_proj.weight");
      parts_.back().half = LatentHalf::kKeys;
      add("attn_v_b.weight", "self_attn.kv_b_proj.weight");
      parts_.back().half = LatentHalf::kValues;
    }
    add("attn_output.weight", "self_attn.o_proj.weight");
  }

  void attention() {
    for (const char* kind : {"weight", "bias"}) {
      if (kind == std::string_view("weight") || h_.qkv_bias) {
        add(std::string("attn_q.") + kind, std::string("self_attn.q_proj.") + kind, h_.num_heads);
        add(std::string("attn_k.") + kind, std::string("self_attn.k_proj.") + kind, h_.num_kv_heads);
        add(std::string("attn_v.") + kind, std::string("self_attn.v_proj.") + kind);
      }
    }
    if (h_.qk_norm) {
      add("attn_q_norm.weight", "self_attn.q_norm.weight");
      add("attn_k_norm.weight", "self_attn.k_norm.weight");
    }
    add("attn_output.weight", "self_attn.o_proj.weight");
    if (h_.o_bias) {
      add("attn_output.bias", "self_attn.o_proj.bias");
    }
  }

  void feed_forward(std::int64_t layer) {
    if (h_.is_sparse(layer)) {
      return experts();
    }
    for (const std::string part : {"gate", "up", "down"}) {
      add("ffn_" + part + ".weight", "mlp." + part + "_proj.weight");
      if (h_.mlp_bias) {
        add("ffn_" + part + ".bias", "mlp." + part + "_proj.bias");
      }
    }
  }

  void experts() {
    const MixtureOfExperts& moe = h_.moe;
    add("ffn_gate_inp.weight", moe.block + ".gate.weight");
    for (const auto& [part, name] :
         {std::pair{"gate", moe.gate_name}, std::pair{"up", moe.up_name}, std::pair{"down", moe.down_name}}) {
      GgufPart stacked{gguf_ + "ffn_" + part + "_exps.weight", {}};
      for (std::int64_t e = 0; e < moe.num_experts; ++e) {
        stacked.sources.push_back(hugging_face_ + moe.block + ".experts." + std::to_string(e) + "." + name + ".weight");
      }
      parts_.push_back(std::move(stacked));
      if (moe.shared_size > 0) {
        add(std::string("ffn_") + part + "_shexp.weight", moe.shared_block + "." + part + "_proj.weight");
      }
    }
    if (moe.shared_gate) {
      add("ffn_gate_inp_shexp.weight", moe.shared_block + "_gate.weight");
    }
  }

  const Hyperparameters& h_;
  bool pairs_;
  bool joined_latent_;
  std::string gguf_;
  std::string hugging_face_;
  std::vector<GgufPart> parts_;
};

}  // namespace

std::vector<GgufPart> gguf_parts(const Hyperparameters& hyperparameters, bool joined_latent) {
  return PartList(hyperparameters, joined_latent).make();
}

std::string_view gguf_architecture(std::string_view model_type) {
  for (const Architecture& known : kArchitectures) {
    if (known.model_type == model_type) {
      return known.gguf;
    }
  }
  return {};
}

std::string_view gguf_model_type(std::string_view architecture, bool has_experts) {
  for (const Architecture& known : kArchitectures) {
    if (known.gguf == architecture && known.experts == has_experts) {
      return known.model_type;
    }
  }
  return {};
}

std::string gguf_architectures() {
  std::string names;
  std::string_view last;
  for (const Architecture& known : kArchitectures) {
    if (known.gguf != last) {
      names += (names.empty() ? "\"" : ", \"") + std::string(known.gguf) + "\"";
      last = known.gguf;
    }
  }
  return names;
}

std::vector<float> interleave_heads(const std::vector<float>& values, std::int64_t rows, std::int64_t heads,
                                    bool to_pairs) {
  const auto half = static_cast<std::size_t>(rows / heads / 2);
  const std::size_t width = values.size() / static_cast<std::size_t>(rows);
  std::vector<float> ordered(values.size());
  for (std::size_t head = 0; head < static_cast<std::size_t>(heads); ++head) {
    for (std::size_t pair = 0; pair < half; ++pair) {
      for (std::size_t side = 0; side < 2; ++side) {
        const std::size_t in_pairs = head * 2 * half + 2 * pair + side;
        const std::size_t in_halves = head * 2 * half + side * half + pair;
        const float* from = values.data() + (to_pairs ? in_halves : in_pairs) * width;
        std::copy_n(from, width, ordered.data() + (to_pairs ? in_pairs : in_halves) * width);
      }
    }
  }
  return ordered;
}

}  // namespace plumb
