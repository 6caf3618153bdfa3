#include "formats/gguf_model.h"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>
#include <utility>

namespace plumb {
namespace {

using NamePair = std::pair<std::string_view, std::string_view>;

constexpr std::array<NamePair, 3> kGlobalNames = {{{"token_embd.weight", "model.embed_tokens.weight"},
                                                   {"output_norm.weight", "model.norm.weight"},
                                                   {"output.weight", "lm_head.weight"}}};
constexpr std::array<NamePair, 9> kLayerNames = {{{"attn_norm.weight", "input_layernorm.weight"},
                                                  {"attn_q.weight", "self_attn.q_proj.weight"},
                                                  {"attn_k.weight", "self_attn.k_proj.weight"},
                                                  {"attn_v.weight", "self_attn.v_proj.weight"},
                                                  {"attn_output.weight", "self_attn.o_proj.weight"},
                                                  {"ffn_norm.weight", "post_attention_layernorm.weight"},
                                                  {"ffn_gate.weight", "mlp.gate_proj.weight"},
                                                  {"ffn_up.weight", "mlp.up_proj.weight"},
                                                  {"ffn_down.weight", "mlp.down_proj.weight"}}};

// GGUF's Llama rows of Q and K stand in the order of interleaved rotary pairs (0, d/2, 1, d/2+1, ...) within each head.
void undo_rope_permutation(SourceTensor& tensor, std::int64_t head_dim) {
  const auto width = static_cast<std::size_t>(tensor.shape[1]);
  const auto half = static_cast<std::size_t>(head_dim / 2);
  std::vector<float> ordered(tensor.values.size());
  const std::size_t num_heads = tensor.values.size() / (width * 2 * half);
  for (std::size_t head = 0; head < num_heads; ++head) {
    for (std::size_t pair = 0; pair < half; ++pair) {
      for (std::size_t side = 0; side < 2; ++side) {
        const float* from = tensor.values.data() + (head * 2 * half + 2 * pair + side) * width;
        std::copy_n(from, width, ordered.data() + (head * 2 * half + side * half + pair) * width);
      }
    }
  }
  tensor.values = std::move(ordered);
}

class GgufModel final : public ModelSource {
 public:
  explicit GgufModel(GgufFile file) : file_(std::move(file)) {}

  Result<void> load() {
    PLUMB_TRY(check_architecture());
    PLUMB_TRY(load_tokenizer());
    PLUMB_TRY(load_hyperparameters());
    for (std::size_t i = 0; i < file_.tensors().size(); ++i) {
      const std::string& gguf_name = file_.tensors()[i].name;
      const std::string name = hugging_face_name(gguf_name);
      if (name.empty()) {
        return Error{file_.name() + ": the tensor " + gguf_name +
                     " is no part of a plain Llama model, which alone is "
                     "supported"};
      }
      index_.emplace(name, i);
    }
    hyperparameters.tie_embeddings = !index_.contains("lm_head.weight");
    return {};
  }

  [[nodiscard]] std::vector<std::string> tensor_names() const override {
    std::vector<std::string> names;
    for (const GgufTensor& tensor : file_.tensors()) {
      names.push_back(hugging_face_name(tensor.name));
    }
    return names;
  }

  [[nodiscard]] Result<SourceTensor> read(const std::string& name) const override {
    const auto found = index_.find(name);
    if (found == index_.end()) {
      return Error{file_.name() + ": holds no tensor for " + name};
    }
    const GgufTensor& stored = file_.tensors()[found->second];
    SourceTensor tensor{name, stored.shape, std::vector<float>(static_cast<std::size_t>(stored.num_values))};
    dequantize(stored.type, stored.blocks, tensor.values);
    const bool is_query = name.ends_with("q_proj.weight");
    if (is_query || name.ends_with("k_proj.weight")) {
      const std::int64_t rows =
          (is_query ? hyperparameters.num_heads : hyperparameters.num_kv_heads) * hyperparameters.head_dim;
      if (tensor.shape.size() != 2 || tensor.shape[0] != rows) {
        return Error{file_.name() + ": the tensor " + stored.name + " must have " + std::to_string(rows) +
                     " rows (heads times head dimension)"};
      }
      undo_rope_permutation(tensor, hyperparameters.head_dim);
    }
    return tensor;
  }

 private:
  Result<void> check_architecture() {
    PLUMB_ASSIGN(const auto architecture, file_.get<std::string>("general.architecture"));
    if (architecture != "llama") {
      return Error{file_.name() + ": the architecture \"" + architecture + "\" is not supported; \"llama\" is"};
    }
    if (file_.has("llama.expert_count")) {
      PLUMB_ASSIGN(const auto experts, file_.get<std::int64_t>("llama.expert_count"));
      if (experts > 0) {
        return Error{file_.name() + ": is a mixture of " + std::to_string(experts) +
                     " experts; only dense Llama models "
                     "are supported"};
      }
    }
    if (file_.has("llama.rope.scaling.type")) {
      PLUMB_ASSIGN(const auto scaling, file_.get<std::string>("llama.rope.scaling.type"));
      if (scaling != "none") {
        return Error{file_.name() + ": the rotary scaling \"" + scaling + "\" is not supported"};
      }
    }
    return {};
  }

  template <typename T>
  Result<void> set_if_present(const std::string& key, T& target) {
    if (file_.has(key)) {
      PLUMB_ASSIGN(target, file_.get<T>(key));
    }
    return {};
  }

  Result<void> load_hyperparameters() {
    Hyperparameters& h = hyperparameters;
    PLUMB_ASSIGN(h.num_layers, file_.get<std::int64_t>("llama.block_count"));
    PLUMB_ASSIGN(h.hidden_size, file_.get<std::int64_t>("llama.embedding_length"));
    PLUMB_ASSIGN(h.intermediate_size, file_.get<std::int64_t>("llama.feed_forward_length"));
    PLUMB_ASSIGN(h.max_positions, file_.get<std::int64_t>("llama.context_length"));
    PLUMB_ASSIGN(h.num_heads, file_.get<std::int64_t>("llama.attention.head_count"));
    h.num_kv_heads = h.num_heads;
    PLUMB_TRY(set_if_present("llama.attention.head_count_kv", h.num_kv_heads));
    PLUMB_ASSIGN(const auto eps, file_.get<double>("llama.attention.layer_norm_rms_epsilon"));
    h.rms_norm_eps = static_cast<float>(eps);
    double theta = 10000.0;
    PLUMB_TRY(set_if_present("llama.rope.freq_base", theta));
    h.rope_theta = static_cast<float>(theta);
    h.vocab_size = static_cast<std::int64_t>(tokenizer.tokens.size());
    PLUMB_TRY(set_if_present("llama.vocab_size", h.vocab_size));
    h.head_dim = h.num_heads > 0 ? h.hidden_size / h.num_heads : 0;
    PLUMB_TRY(set_if_present("llama.attention.key_length", h.head_dim));
    std::int64_t rope_dims = h.head_dim;
    PLUMB_TRY(set_if_present("llama.rope.dimension_count", rope_dims));
    if (rope_dims != h.head_dim) {
      return Error{file_.name() + ": llama.rope.dimension_count is " + std::to_string(rope_dims) +
                   "; it must equal the head dimension " + std::to_string(h.head_dim)};
    }
    if (const auto checked = check_hyperparameters(h); !checked) {
      return checked.error().with_context(file_.name());
    }
    return {};
  }

  Result<void> load_tokenizer() {
    PLUMB_ASSIGN(const auto model, file_.get<std::string>("tokenizer.ggml.model"));
    if (model != "gpt2") {
      return Error{file_.name() + ": the tokenizer model \"" + model +
                   "\" is not supported; \"gpt2\" (byte-level BPE) is"};
    }
    tokenizer.pre_tokenizer = "gpt2";
    PLUMB_TRY(set_if_present("tokenizer.ggml.pre", tokenizer.pre_tokenizer));
    PLUMB_ASSIGN(tokenizer.tokens, file_.get<std::vector<std::string>>("tokenizer.ggml.tokens"));
    PLUMB_TRY(load_kinds());
    PLUMB_TRY(load_merges());
    PLUMB_TRY(load_id("tokenizer.ggml.bos_token_id", tokenizer.bos_id));
    PLUMB_TRY(load_id("tokenizer.ggml.eos_token_id", tokenizer.eos_id));
    PLUMB_TRY(load_id("tokenizer.ggml.padding_token_id", tokenizer.pad_id));
    PLUMB_TRY(load_id("tokenizer.ggml.unknown_token_id", tokenizer.unk_id));
    return set_if_present("tokenizer.chat_template", chat_template);
  }

  Result<void> load_kinds() {
    constexpr std::int64_t kControl = 3;
    constexpr std::int64_t kUserDefined = 4;
    constexpr std::int64_t kFiller = 5;
    PLUMB_ASSIGN(const auto types, file_.get<std::vector<std::int64_t>>("tokenizer.ggml.token_type"));
    if (types.size() != tokenizer.tokens.size()) {
      return Error{file_.name() + ": tokenizer.ggml.token_type has " + std::to_string(types.size()) + " entries for " +
                   std::to_string(tokenizer.tokens.size()) + " tokens"};
    }
    for (const std::int64_t type : types) {
      tokenizer.kinds.push_back(type == kControl       ? TokenKind::kSpecial
                                : type == kUserDefined ? TokenKind::kAdded
                                : type == kFiller      ? TokenKind::kUnused
                                                       : TokenKind::kNormal);
    }
    return {};
  }

  Result<void> load_merges() {
    PLUMB_ASSIGN(const auto merges, file_.get<std::vector<std::string>>("tokenizer.ggml.merges"));
    for (const std::string& merge : merges) {
      const std::size_t space = merge.find(' ');
      if (space == std::string::npos) {
        return Error{file_.name() + ": a merge in tokenizer.ggml.merges is no pair of tokens"};
      }
      tokenizer.merges.emplace_back(merge.substr(0, space), merge.substr(space + 1));
    }
    return {};
  }

  Result<void> load_id(const std::string& key, std::int32_t& id) {
    std::int64_t value = -1;
    PLUMB_TRY(set_if_present(key, value));
    if (value < -1 || value >= static_cast<std::int64_t>(tokenizer.tokens.size())) {
      return Error{file_.name() + ": " + key + " is " + std::to_string(value) + ", but the vocabulary has " +
                   std::to_string(tokenizer.tokens.size()) + " tokens"};
    }
    id = static_cast<std::int32_t>(value);
    return {};
  }

  GgufFile file_;
  std::map<std::string, std::size_t> index_;  // Hugging Face name -> place in file_.tensors()
};

}  // namespace

std::string hugging_face_name(const std::string& gguf_name) {
  for (const auto& [gguf, hugging_face] : kGlobalNames) {
    if (gguf_name == gguf) {
      return std::string(hugging_face);
    }
  }
  constexpr std::string_view kPrefix = "blk.";
  const std::size_t dot = gguf_name.find('.', kPrefix.size());
  if (!gguf_name.starts_with(kPrefix) || dot == std::string::npos) {
    return {};
  }
  const std::string layer = gguf_name.substr(kPrefix.size(), dot - kPrefix.size());
  if (layer.empty() || layer.find_first_not_of("0123456789") != std::string::npos) {
    return {};
  }
  for (const auto& [gguf, hugging_face] : kLayerNames) {
    if (std::string_view(gguf_name).substr(dot + 1) == gguf) {
      return "model.layers." + layer + "." + std::string(hugging_face);
    }
  }
  return {};
}

Result<std::unique_ptr<ModelSource>> gguf_model(GgufFile file) {
  auto model = std::make_unique<GgufModel>(std::move(file));
  PLUMB_TRY(model->load());
  return std::unique_ptr<ModelSource>(std::move(model));
}

}  // namespace plumb
