#include "formats/gguf_model.h"

#include <algorithm>
#include <map>
#include <utility>

#include "formats/gguf_parts.h"
#include "formats/gguf_rope.h"
#include "formats/gguf_tokenizer.h"

namespace plumb {
namespace {

class GgufModel final : public ModelSource {
 public:
  explicit GgufModel(GgufFile file) : file_(std::move(file)) {}

  Result<void> load() {
    PLUMB_TRY(check_architecture());
    PLUMB_ASSIGN(tokenizer, read_gguf_tokenizer(file_));
    PLUMB_TRY(set_if_present("tokenizer.chat_template", chat_template));
    std::map<std::string, std::size_t> stored;
    for (std::size_t i = 0; i < file_.tensors().size(); ++i) {
      stored.emplace(file_.tensors()[i].name, i);
    }
    PLUMB_TRY(load_hyperparameters());
    load_biases(stored);
    if (const auto factors = stored.find(kRopeFactorsTensor); factors != stored.end()) {
      PLUMB_TRY(load_rope_factors(file_.tensors()[factors->second]));
      stored.erase(factors);
    }
    hyperparameters.tie_embeddings = !stored.contains("output.weight");
    for (GgufPart& part : gguf_parts(hyperparameters)) {
      const auto found = stored.find(part.name);
      if (found == stored.end()) {
        continue;
      }
      PLUMB_TRY(check_stack(file_.tensors()[found->second], part));
      for (std::size_t slice = 0; slice < part.sources.size(); ++slice) {
        names_.push_back(part.sources[slice]);
        index_.emplace(part.sources[slice], Place{found->second, slice, part.sources.size(), part.heads});
      }
      stored.erase(found);
    }
    if (!stored.empty()) {
      return Error{file_.name() + ": the tensor " + stored.begin()->first + " is no part of a " +
                   hyperparameters.architecture + " model as plumb reads it"};
    }
    return {};
  }

  [[nodiscard]] std::vector<std::string> tensor_names() const override { return names_; }

  [[nodiscard]] std::vector<std::int64_t> shape_of(const std::string& name) const override {
    const Place& place = index_.at(name);
    std::vector<std::int64_t> shape = file_.tensors()[place.tensor].shape;
    if (place.slices > 1) {
      shape.erase(shape.begin());
    } else if (name.ends_with("shared_expert_gate.weight") && shape.size() == 1) {
      shape.insert(shape.begin(), 1);
    }
    return shape;
  }

  [[nodiscard]] Result<SourceTensor> read(const std::string& name) const override {
    const auto found = index_.find(name);
    if (found == index_.end()) {
      return Error{file_.name() + ": holds no tensor for " + name};
    }
    const Place& place = found->second;
    const GgufTensor& stored = file_.tensors()[place.tensor];
    SourceTensor tensor{name, shape_of(name),
                        std::vector<float>(static_cast<std::size_t>(stored.num_values) / place.slices)};
    const std::size_t bytes = stored.blocks.size() / place.slices;
    dequantize(stored.type, stored.blocks.subspan(place.slice * bytes, bytes), tensor.values);
    if (place.heads > 0) {
      const std::int64_t rows = place.heads * hyperparameters.head_dim;
      if (tensor.shape.empty() || tensor.shape[0] != rows) {
        return Error{file_.name() + ": the tensor " + stored.name + " must have " + std::to_string(rows) +
                     " rows (heads times head dimension)"};
      }
      tensor.values = interleave_heads(tensor.values, rows, place.heads, false);
    }
    return tensor;
  }

 private:
  // Where a Hugging Face tensor lies.
  struct Place {
    std::size_t tensor = 0;
    std::size_t slice = 0;
    std::size_t slices = 1;
    std::int64_t heads = 0;
  };

  [[nodiscard]] std::string key(const char* name) const { return architecture_ + "." + name; }

  Result<void> check_stack(const GgufTensor& tensor, const GgufPart& part) const {
    const auto slices = static_cast<std::int64_t>(part.sources.size());
    if (slices > 1 && (tensor.shape.size() != 3 || tensor.shape[0] != slices)) {
      return Error{file_.name() + ": the tensor " + tensor.name + " must hold the matrices of " +
                   std::to_string(slices) + " experts"};
    }
    return {};
  }

  Result<void> check_architecture() {
    PLUMB_ASSIGN(architecture_, file_.get<std::string>("general.architecture"));
    std::int64_t experts = 0;
    PLUMB_TRY(set_if_present(key("expert_count"), experts));
    hyperparameters.moe.num_experts = experts;
    hyperparameters.architecture = gguf_model_type(architecture_, experts > 0);
    if (hyperparameters.architecture.empty()) {
      return Error{file_.name() + ": the architecture \"" + architecture_ + "\"" +
                   (experts > 0 ? " with experts" : "") + " is not supported; " + gguf_architectures() + " are"};
    }
    return {};
  }

  Result<void> load_rope() {
    RopeScaling& rope = hyperparameters.rope;
    double theta = 10000.0;
    PLUMB_TRY(set_if_present(key("rope.freq_base"), theta));
    hyperparameters.rope_theta = static_cast<float>(theta);
    rope.original_positions = hyperparameters.max_positions;
    std::string type = "none";
    PLUMB_TRY(set_if_present(key("rope.scaling.type"), type));
    if (type == "none") {
      return {};
    }
    if (type != "linear" && type != "yarn") {
      return Error{file_.name() + ": the rotary scaling \"" + type + "\" is not supported; none, linear and yarn are"};
    }
    rope.kind = type == "linear" ? RopeKind::kLinear : RopeKind::kYarn;
    PLUMB_ASSIGN(const double factor, file_.get<double>(key("rope.scaling.factor")));
    rope.factor = static_cast<float>(factor);
    return set_if_present(key("rope.scaling.original_context_length"), rope.original_positions);
  }

  Result<void> load_rope_factors(const GgufTensor& tensor) {
    Hyperparameters& h = hyperparameters;
    const std::string name = file_.name() + ": the tensor " + tensor.name;
    if (tensor.num_values != h.head_dim / 2 || h.rope.kind != RopeKind::kDefault) {
      return Error{name + " holds " + std::to_string(tensor.num_values) +
                   " factors of rotary frequencies; expected half a head dimension (" + std::to_string(h.head_dim / 2) +
                   ") of them, and no rope.scaling.type beside them"};
    }
    std::vector<float> factors(static_cast<std::size_t>(tensor.num_values));
    dequantize(tensor.type, tensor.blocks, factors);
    if (std::ranges::all_of(factors, [](float factor) { return factor == 1.0F; })) {
      return {};
    }
    const auto rope = rope_scaling_of(factors, h.rope_theta);
    if (!rope) {
      return Error{name +
                   " holds factors of rotary frequencies that no llama3 scaling with low_freq_factor 1 and "
                   "high_freq_factor 4 has; use the model's Hugging Face folder, which names its scaling"};
    }
    h.rope = *rope;
    return {};
  }

  Result<void> load_experts() {
    MixtureOfExperts& moe = hyperparameters.moe;
    if (moe.num_experts == 0) {
      return {};
    }
    PLUMB_ASSIGN(moe.top_k, file_.get<std::int64_t>(key("expert_used_count")));
    moe.expert_size = hyperparameters.intermediate_size;
    PLUMB_TRY(set_if_present(key("expert_feed_forward_length"), moe.expert_size));
    moe.normalise = hyperparameters.architecture != "qwen2_moe";  // as llama.cpp takes them
    if (hyperparameters.architecture == "mixtral") {
      moe.use_mixtral_names();
    }
    if (hyperparameters.architecture == "qwen2_moe") {
      PLUMB_ASSIGN(moe.shared_size, file_.get<std::int64_t>(key("expert_shared_feed_forward_length")));
      moe.shared_gate = true;
      moe.shared_block = "mlp.shared_expert";
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

  // The number of tokens in the file, fillers included.
  Result<void> load_vocab_size() {
    PLUMB_ASSIGN(const auto tokens, file_.get<std::vector<std::string>>("tokenizer.ggml.tokens"));
    hyperparameters.vocab_size = static_cast<std::int64_t>(tokens.size());
    return set_if_present(key("vocab_size"), hyperparameters.vocab_size);
  }

  // No key says which biases there are. Where there is one of a kind, the others are looked for as well.
  void load_biases(const std::map<std::string, std::size_t>& stored) {
    Hyperparameters& h = hyperparameters;
    const bool has_query_bias = stored.contains("blk.0.attn_q.bias");
    h.qkv_bias =
        h.architecture == "qwen2" || ((h.architecture == "qwen2_moe" || h.architecture == "llama") && has_query_bias);
    h.o_bias = h.architecture == "llama" && has_query_bias;
    h.mlp_bias = h.architecture == "llama" && stored.contains("blk.0.ffn_gate.bias");
  }

  Result<void> load_hyperparameters() {
    Hyperparameters& h = hyperparameters;
    PLUMB_ASSIGN(h.num_layers, file_.get<std::int64_t>(key("block_count")));
    PLUMB_ASSIGN(h.hidden_size, file_.get<std::int64_t>(key("embedding_length")));
    PLUMB_ASSIGN(h.intermediate_size, file_.get<std::int64_t>(key("feed_forward_length")));
    PLUMB_ASSIGN(h.max_positions, file_.get<std::int64_t>(key("context_length")));
    PLUMB_ASSIGN(h.num_heads, file_.get<std::int64_t>(key("attention.head_count")));
    h.num_kv_heads = h.num_heads;
    PLUMB_TRY(set_if_present(key("attention.head_count_kv"), h.num_kv_heads));
    PLUMB_ASSIGN(const auto eps, file_.get<double>(key("attention.layer_norm_rms_epsilon")));
    h.rms_norm_eps = static_cast<float>(eps);
    PLUMB_TRY(load_rope());
    PLUMB_TRY(load_experts());
    h.qk_norm = h.architecture == "qwen3" || h.architecture == "qwen3_moe";
    PLUMB_TRY(load_vocab_size());
    h.head_dim = h.num_heads > 0 ? h.hidden_size / h.num_heads : 0;
    PLUMB_TRY(set_if_present(key("attention.key_length"), h.head_dim));
    std::int64_t rope_dims = h.head_dim;
    PLUMB_TRY(set_if_present(key("rope.dimension_count"), rope_dims));
    if (rope_dims != h.head_dim) {
      return Error{file_.name() + ": " + key("rope.dimension_count") + " is " + std::to_string(rope_dims) +
                   "; it must equal the head dimension " + std::to_string(h.head_dim)};
    }
    if (const auto checked = check_hyperparameters(h); !checked) {
      return checked.error().with_context(file_.name());
    }
    return {};
  }

  GgufFile file_;
  std::string architecture_;
  std::vector<std::string> names_;
  std::map<std::string, Place> index_;  // by Hugging Face name
};

}  // namespace

Result<std::unique_ptr<ModelSource>> gguf_model(GgufFile file) {
  auto model = std::make_unique<GgufModel>(std::move(file));
  PLUMB_TRY(model->load());
  return std::unique_ptr<ModelSource>(std::move(model));
}

}  // namespace plumb
