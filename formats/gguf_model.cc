#include "formats/gguf_model.h"

#include <algorithm>
#include <map>
#include <utility>

#include "formats/gguf_hyperparameters.h"
#include "formats/gguf_latent.h"
#include "formats/gguf_parts.h"
#include "formats/gguf_rope.h"
#include "formats/gguf_tokenizer.h"

namespace plumb {
namespace {

class GgufModel final : public ModelSource {
 public:
  explicit GgufModel(GgufFile file) : file_(std::move(file)) {}

  Result<void> load() {
    PLUMB_ASSIGN(hyperparameters, read_gguf_hyperparameters(file_));
    PLUMB_ASSIGN(tokenizer, read_gguf_tokenizer(file_));
    if (std::cmp_greater(tokenizer.tokens.size(), hyperparameters.vocab_size)) {
      return Error{file_.name() + ": has " + std::to_string(tokenizer.tokens.size()) +
                   " tokens, but its vocab_size is " + std::to_string(hyperparameters.vocab_size)};
    }
    if (file_.has("tokenizer.chat_template")) {
      PLUMB_ASSIGN(chat_template, file_.get<std::string>("tokenizer.chat_template"));
    }
    Stored stored;
    for (std::size_t i = 0; i < file_.tensors().size(); ++i) {
      stored.emplace(file_.tensors()[i].name, i);
    }
    load_biases(stored);
    if (const auto factors = stored.find(kRopeFactorsTensor); factors != stored.end()) {
      PLUMB_TRY(load_rope_factors(file_.tensors()[factors->second]));
      stored.erase(factors);
    }
    hyperparameters.tie_embeddings = !stored.contains("output.weight");
    return find_tensors(std::move(stored));
  }

  [[nodiscard]] std::vector<std::string> tensor_names() const override { return names_; }

  [[nodiscard]] std::vector<std::int64_t> shape_of(const std::string& name) const override {
    const Place& place = index_.at(name);
    if (place.half == LatentHalf::kBoth) {
      const LatentAttention& latent = hyperparameters.latent;
      return {hyperparameters.num_heads * (latent.nope_dim + latent.value_dim), latent.kv_rank};
    }
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
    if (place.half != LatentHalf::kNone) {
      return read_latent(name, place);
    }
    SourceTensor tensor{name, shape_of(name), values_of(stored, place.slice, place.slices)};
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
  using Stored = std::map<std::string, std::size_t>;  // name -> index in file_.tensors()

  // Where a Hugging Face tensor lies.
  struct Place {
    std::size_t tensor = 0;
    std::size_t slice = 0;
    std::size_t slices = 1;
    std::int64_t heads = 0;
    LatentHalf half = LatentHalf::kNone;  // kKeys, kValues: what `tensor` holds where the other half is missing
    std::size_t values = 0;               // kBoth: the tensor of the values' half, `tensor` being the keys'
  };

  [[nodiscard]] static std::vector<float> values_of(const GgufTensor& stored, std::size_t slice = 0,
                                                    std::size_t slices = 1) {
    std::vector<float> values(static_cast<std::size_t>(stored.num_values) / slices);
    const std::size_t bytes = stored.blocks.size() / slices;
    dequantize(stored.type, stored.blocks.subspan(slice * bytes, bytes), values);
    return values;
  }

  [[nodiscard]] Result<SourceTensor> read_latent(const std::string& name, const Place& place) const {
    const Hyperparameters& h = hyperparameters;
    const LatentAttention& latent = h.latent;
    const GgufTensor& keys = file_.tensors()[place.tensor];
    const GgufTensor& values = file_.tensors()[place.values];
    using Shape = std::vector<std::int64_t>;
    if (place.half != LatentHalf::kBoth || keys.shape != Shape{h.num_heads, latent.kv_rank, latent.nope_dim} ||
        values.shape != Shape{h.num_heads, latent.value_dim, latent.kv_rank}) {
      return Error{file_.name() + ": the tensor " + keys.name + " must be attn_k_b [" + std::to_string(h.num_heads) +
                   ", " + std::to_string(latent.kv_rank) + ", " + std::to_string(latent.nope_dim) +
                   "], and beside it must stand attn_v_b [" + std::to_string(h.num_heads) + ", " +
                   std::to_string(latent.value_dim) + ", " + std::to_string(latent.kv_rank) + "]"};
    }
    const std::int64_t rows = h.num_heads * (latent.nope_dim + latent.value_dim);
    return SourceTensor{
        name, {rows, latent.kv_rank}, join_latent(values_of(keys), values_of(values), h.num_heads, latent)};
  }

  Result<void> check_stack(const GgufTensor& tensor, const GgufPart& part) const {
    const auto slices = static_cast<std::int64_t>(part.sources.size());
    if (slices > 1 && (tensor.shape.size() != 3 || tensor.shape[0] != slices)) {
      return Error{file_.name() + ": the tensor " + tensor.name + " must hold the matrices of " +
                   std::to_string(slices) + " experts"};
    }
    return {};
  }

  Result<void> find_tensors(Stored stored) {
    for (const GgufPart& part : gguf_parts(hyperparameters, stored.contains("blk.0.attn_kv_b.weight"))) {
      const auto found = stored.find(part.name);
      if (found == stored.end()) {
        continue;
      }
      PLUMB_TRY(check_stack(file_.tensors()[found->second], part));
      place_part(part, found->second);
      stored.erase(found);
    }
    if (!stored.empty()) {
      return Error{file_.name() + ": the tensor " + stored.begin()->first + " is no part of a " +
                   hyperparameters.architecture + " model as plumb reads it"};
    }
    return {};
  }

  void place_part(const GgufPart& part, std::size_t tensor) {
    for (std::size_t slice = 0; slice < part.sources.size(); ++slice) {
      const auto [place, added] =
          index_.emplace(part.sources[slice], Place{tensor, slice, part.sources.size(), part.heads, part.half, tensor});
      if (added) {
        names_.push_back(part.sources[slice]);
      } else {
        place->second.half = LatentHalf::kBoth;
        place->second.values = tensor;
      }
    }
  }

  // No key says which biases there are. Where there is one of a kind, the others are looked for as well.
  void load_biases(const Stored& stored) {
    Hyperparameters& h = hyperparameters;
    const bool has_query_bias = stored.contains("blk.0.attn_q.bias");
    h.qkv_bias =
        h.architecture == "qwen2" || ((h.architecture == "qwen2_moe" || h.architecture == "llama") && has_query_bias);
    h.o_bias = h.architecture == "llama" && has_query_bias;
    h.mlp_bias = h.architecture == "llama" && stored.contains("blk.0.ffn_gate.bias");
  }

  Result<void> load_rope_factors(const GgufTensor& tensor) {
    Hyperparameters& h = hyperparameters;
    const std::string name = file_.name() + ": the tensor " + tensor.name;
    if (tensor.num_values != h.head_dim / 2 || h.rope.kind != RopeKind::kDefault) {
      return Error{name + " holds " + std::to_string(tensor.num_values) +
                   " factors of rotary frequencies; expected half a head dimension (" + std::to_string(h.head_dim / 2) +
                   ") of them, and no rope.scaling.type beside them"};
    }
    const std::vector<float> factors = values_of(tensor);
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

  GgufFile file_;
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
