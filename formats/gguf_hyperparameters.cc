#include "formats/gguf_hyperparameters.h"

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "formats/gguf_parts.h"

namespace plumb {
namespace {

// No model comes near these; their product fits.
constexpr std::int64_t kMostShared = 4096;
constexpr std::int64_t kLargestExpert = (std::int64_t{1} << 31) - 1;

// The mscale_all_dim that was written; published ones have few digits.
float mscale_of(double multiplier) {
  RopeScaling rope;
  rope.mscale_all_dim = static_cast<float>(std::round(multiplier * 1e7) / 1e6);
  const bool is_round = yarn_log_multiplier(rope) == static_cast<float>(multiplier);
  return is_round ? rope.mscale_all_dim : static_cast<float>(multiplier * 10);
}

class Reader {
 public:
  explicit Reader(const GgufFile& file) : file_(file) {}

  Result<Hyperparameters> run() {
    PLUMB_TRY(load_architecture());
    PLUMB_TRY(load_sizes());
    PLUMB_TRY(h_.architecture == "deepseek_v2" ? load_latent() : load_heads());
    PLUMB_TRY(load_rope());
    PLUMB_TRY(load_experts());
    h_.qk_norm = h_.architecture == "qwen3" || h_.architecture == "qwen3_moe";
    if (const auto checked = check_hyperparameters(h_); !checked) {
      return checked.error().with_context(file_.name());
    }
    return std::move(h_);
  }

 private:
  [[nodiscard]] std::string key(const char* name) const { return architecture_ + "." + name; }

  template <typename T>
  Result<void> required(const char* name, T& target) {
    PLUMB_ASSIGN(target, file_.get<T>(key(name)));
    return {};
  }

  template <typename T>
  Result<void> optional(const char* name, T& target) {
    return file_.has(key(name)) ? required(name, target) : Result<void>();
  }

  Result<void> optional_real(const char* name, float& target) {
    auto value = static_cast<double>(target);
    PLUMB_TRY(optional(name, value));
    target = static_cast<float>(value);
    return {};
  }

  Result<void> load_architecture() {
    PLUMB_ASSIGN(architecture_, file_.get<std::string>("general.architecture"));
    PLUMB_TRY(optional("expert_count", h_.moe.num_experts));
    const bool has_experts = h_.moe.num_experts > 0;
    h_.architecture = gguf_model_type(architecture_, has_experts);
    if (h_.architecture.empty()) {
      return Error{file_.name() + ": the architecture \"" + architecture_ + "\"" +
                   (has_experts ? " with experts" : "") + " is not supported; " + gguf_architectures() + " are"};
    }
    return {};
  }

  Result<void> load_sizes() {
    PLUMB_TRY(required("block_count", h_.num_layers));
    PLUMB_TRY(required("embedding_length", h_.hidden_size));
    PLUMB_TRY(required("feed_forward_length", h_.intermediate_size));
    PLUMB_TRY(required("context_length", h_.max_positions));
    PLUMB_TRY(required("attention.head_count", h_.num_heads));
    PLUMB_ASSIGN(const auto eps, file_.get<double>(key("attention.layer_norm_rms_epsilon")));
    h_.rms_norm_eps = static_cast<float>(eps);
    // Fillers included.
    PLUMB_ASSIGN(const auto tokens, file_.get<std::vector<std::string>>("tokenizer.ggml.tokens"));
    h_.vocab_size = static_cast<std::int64_t>(tokens.size());
    return optional("vocab_size", h_.vocab_size);
  }

  Result<void> load_heads() {
    h_.num_kv_heads = h_.num_heads;
    PLUMB_TRY(optional("attention.head_count_kv", h_.num_kv_heads));
    h_.head_dim = h_.num_heads > 0 ? h_.hidden_size / h_.num_heads : 0;
    PLUMB_TRY(optional("attention.key_length", h_.head_dim));
    std::int64_t rope_dims = h_.head_dim;
    PLUMB_TRY(optional("rope.dimension_count", rope_dims));
    if (rope_dims != h_.head_dim) {
      return Error{file_.name() + ": " + key("rope.dimension_count") + " is " + std::to_string(rope_dims) +
                   "; it must equal the head dimension " + std::to_string(h_.head_dim)};
    }
    return {};
  }

  // Older files have the dimensions of a head in key_length and value_length, newer ones those of the latent.
  Result<void> load_latent() {
    LatentAttention& latent = h_.latent;
    const bool absorbed = file_.has(key("attention.key_length_mla"));
    PLUMB_TRY(required(absorbed ? "attention.key_length_mla" : "attention.key_length", h_.head_dim));
    PLUMB_TRY(required(absorbed ? "attention.value_length_mla" : "attention.value_length", latent.value_dim));
    PLUMB_TRY(required("attention.kv_lora_rank", latent.kv_rank));
    PLUMB_TRY(optional("attention.q_lora_rank", latent.q_rank));
    PLUMB_TRY(required("rope.dimension_count", latent.rope_dim));
    if (latent.kv_rank <= 0 || latent.rope_dim <= 0 || latent.rope_dim >= h_.head_dim) {
      return Error{file_.name() + ": " + key("attention.kv_lora_rank") + " is " + std::to_string(latent.kv_rank) +
                   ", and " + std::to_string(latent.rope_dim) + " of " + std::to_string(h_.head_dim) +
                   " numbers of a head are rotary; expected a positive rank and a part of the head"};
    }
    latent.nope_dim = h_.head_dim - latent.rope_dim;
    h_.num_kv_heads = h_.num_heads;
    return {};
  }

  Result<void> load_rope() {
    RopeScaling& rope = h_.rope;
    PLUMB_TRY(optional_real("rope.freq_base", h_.rope_theta));
    rope.original_positions = h_.max_positions;
    std::string type = "none";
    PLUMB_TRY(optional("rope.scaling.type", type));
    if (type == "none") {
      return {};
    }
    if (type != "yarn" && (type != "linear" || h_.is_latent())) {
      return Error{file_.name() + ": the rotary scaling \"" + type + "\" is not supported; none, " +
                   (h_.is_latent() ? "" : "linear ") + "and yarn are"};
    }
    rope.kind = type == "linear" ? RopeKind::kLinear : RopeKind::kYarn;
    PLUMB_ASSIGN(const auto factor, file_.get<double>(key("rope.scaling.factor")));
    rope.factor = static_cast<float>(factor);
    if (h_.is_latent()) {
      PLUMB_ASSIGN(const auto multiplier, file_.get<double>(key("rope.scaling.yarn_log_multiplier")));
      rope.mscale = rope.mscale_all_dim = mscale_of(multiplier);
    }
    return optional("rope.scaling.original_context_length", rope.original_positions);
  }

  Result<void> load_experts() {
    MixtureOfExperts& moe = h_.moe;
    if (moe.num_experts == 0) {
      return {};
    }
    PLUMB_TRY(required("expert_used_count", moe.top_k));
    moe.expert_size = h_.intermediate_size;
    PLUMB_TRY(optional("expert_feed_forward_length", moe.expert_size));
    if (h_.is_latent()) {
      return load_deepseek_experts();
    }
    moe.normalise = h_.architecture != "qwen2_moe";  // as llama.cpp takes them
    if (h_.architecture == "mixtral") {
      moe.use_mixtral_names();
    }
    if (h_.architecture == "qwen2_moe") {
      PLUMB_TRY(required("expert_shared_feed_forward_length", moe.shared_size));
      moe.shared_gate = true;
      moe.shared_block = "mlp.shared_expert";
    }
    return {};
  }

  Result<void> load_deepseek_experts() {
    MixtureOfExperts& moe = h_.moe;
    std::int64_t num_shared = 0;
    PLUMB_TRY(required("leading_dense_block_count", moe.first_dense));
    PLUMB_TRY(required("expert_shared_count", num_shared));
    PLUMB_TRY(optional_real("expert_weights_scale", moe.scaling));
    PLUMB_TRY(optional("expert_weights_norm", moe.normalise));
    moe.shared_block = "mlp.shared_experts";
    if (num_shared < 0 || num_shared > kMostShared || moe.expert_size <= 0 || moe.expert_size > kLargestExpert) {
      return Error{file_.name() + ": " + key("expert_shared_count") + " is " + std::to_string(num_shared) + " and " +
                   key("expert_feed_forward_length") + " " + std::to_string(moe.expert_size) + "; expected at most " +
                   std::to_string(kMostShared) + " and between 1 and " + std::to_string(kLargestExpert)};
    }
    moe.shared_size = num_shared * moe.expert_size;
    for (const char* name : {"expert_gating_func", "expert_group_count"}) {
      std::int64_t value = 1;  // softmax; one group
      PLUMB_TRY(optional(name, value));
      if (value != 1) {
        return Error{file_.name() + ": " + key(name) + " is " + std::to_string(value) +
                     "; plumb reads DeepSeek-V2's, 1 (experts chosen from all by softmax)"};
      }
    }
    return {};
  }

  const GgufFile& file_;
  std::string architecture_;
  Hyperparameters h_;
};

}  // namespace

Result<Hyperparameters> read_gguf_hyperparameters(const GgufFile& file) {
  return Reader(file).run();
}

}  // namespace plumb
