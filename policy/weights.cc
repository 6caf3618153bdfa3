#include "policy/weights.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "core/check.h"
#include "core/trace.h"

namespace plumb {
namespace {

// One panel of one packed matrix, to be filled from the masters.
struct PackTask {
  PackedMatrix* matrix;
  std::int64_t panel;
  const float* from;
  std::int64_t stride_i;
  std::int64_t stride_j;
};

void add_tasks(PackedMatrix& matrix, const float* from, std::int64_t stride_i, std::int64_t stride_j,
               std::vector<PackTask>& tasks) {
  for (std::int64_t panel = 0; panel < matrix.num_panels(); ++panel) {
    tasks.push_back({&matrix, panel, from, stride_i, stride_j});
  }
}

// Of the matrix [H (nope + e), kv rank] that projects latents up, head by head.
void add_tasks(AbsorbedLatent& absorbed, const float* kv_up, const LatentAttention& latent,
               std::vector<PackTask>& tasks) {
  for (std::size_t head = 0; head < absorbed.keys.size(); ++head) {
    add_tasks(absorbed.keys[head], kv_up, latent.kv_rank, 1, tasks);
    kv_up += latent.nope_dim * latent.kv_rank;
    add_tasks(absorbed.values[head], kv_up, 1, latent.kv_rank, tasks);
    kv_up += latent.value_dim * latent.kv_rank;
  }
}

void add_tasks(PackedWeight& weight, const float* from, std::int64_t in, std::vector<PackTask>& tasks) {
  add_tasks(weight.forward, from, 1, in, tasks);
  if (weight.backward) {
    add_tasks(*weight.backward, from, in, 1, tasks);
  }
}

}  // namespace

Result<std::unique_ptr<Weights>> Weights::create(const ModelConfig& config, std::vector<NamedTensor> tensors,
                                                 const PolicyOptions& options) {
  std::unique_ptr<Weights> weights(new Weights(config, options));
  weights->lay_out();
  PLUMB_TRY(weights->take(std::move(tensors)));
  weights->make_packed();
  return weights;
}

Weights::Weights(const ModelConfig& config, const PolicyOptions& options)
    : config_(config),
      dtype_(options.dtype),
      trainable_(options.trainable),
      absorbs_(!options.exact && config.is_latent()) {}

void Weights::lay_out() {
  layout_ = make_layout(config_);
  values_.resize(layout_.num_values);
  if (trainable_) {
    gradients_.resize(layout_.num_values);
    gradients_.fill_zero();
  }
  for (const TensorPlace& tensor : layout_.tensors) {
    const auto size = static_cast<std::size_t>(tensor.size);
    ParameterView view{tensor.name, tensor.shape, {values_.data() + tensor.offset, size}, {}};
    if (trainable_) {
      view.gradient = {gradients_.data() + tensor.offset, size};
    }
    parameters_.push_back(std::move(view));
  }
}

Result<void> Weights::take(std::vector<NamedTensor> tensors) {
  std::unordered_map<std::string, NamedTensor*> by_name;
  for (NamedTensor& tensor : tensors) {
    by_name.emplace(tensor.name, &tensor);
  }
  for (ParameterView& view : parameters_) {
    const auto found = by_name.find(view.name);
    if (found == by_name.end()) {
      return Error{"the weights lack the tensor " + view.name + " " + shape_text(view.shape) +
                   ", which the model's configuration asks for; use the files of one model"};
    }
    NamedTensor& tensor = *found->second;
    if (tensor.shape != view.shape || tensor.values.size() != view.value.size()) {
      return Error{"tensor " + view.name + " has the shape " + shape_text(tensor.shape) + " (" +
                   std::to_string(tensor.values.size()) + " values), but the model's configuration asks for " +
                   shape_text(view.shape) + "; use the configuration and the weights of one model"};
    }
    const auto bad =
        std::find_if(tensor.values.begin(), tensor.values.end(), [](float value) { return !std::isfinite(value); });
    if (bad != tensor.values.end()) {
      return Error{"tensor " + view.name + " holds a value that is not finite at index " +
                   std::to_string(bad - tensor.values.begin()) + "; the weights are damaged, fetch them anew"};
    }
    std::copy(tensor.values.begin(), tensor.values.end(), view.value.begin());
    std::vector<float>().swap(tensor.values);
  }
  return {};
}

// Gradients are rounded to bf16 on their way anyway: the upper part of a split weight does for them.
ComputeDtype Weights::backward_dtype() const {
  return dtype_ == ComputeDtype::kBf16Split ? ComputeDtype::kBf16 : dtype_;
}

PackedMatrix Weights::make_forward(std::int64_t out, std::int64_t in) {
  return {in, out, dtype_, PackedMatrix::kPanelColumns, &forward_arena_};
}

PackedMatrix Weights::make_backward(std::int64_t out, std::int64_t in) {
  return {out, in, backward_dtype(), PackedMatrix::kPanelColumns, &backward_arena_};
}

PackedWeight Weights::make_weight(std::int64_t out, std::int64_t in) {
  PackedWeight weight{make_forward(out, in), std::nullopt};
  if (trainable_) {
    weight.backward = make_backward(out, in);
  }
  return weight;
}

PackedFeedForward Weights::make_feed_forward(std::int64_t size_f) {
  const std::int64_t d = config_.hidden_size;
  PackedFeedForward packed{make_forward(size_f, d), make_forward(size_f, d), std::nullopt, make_weight(d, size_f)};
  if (trainable_) {
    packed.gate_up_backward = make_backward(2 * size_f, d);
  }
  return packed;
}

AbsorbedLatent Weights::make_absorbed() {
  const LatentAttention& latent = config_.latent;
  AbsorbedLatent absorbed;
  for (std::int64_t head = 0; head < config_.num_heads; ++head) {
    absorbed.keys.push_back(make_forward(latent.kv_rank, latent.nope_dim));
    absorbed.values.push_back(make_forward(latent.value_dim, latent.kv_rank));
  }
  return absorbed;
}

PackedLayer Weights::make_layer(const LayerOffsets& layer) {
  const std::int64_t d = config_.hidden_size;
  const LatentAttention& latent = config_.latent;
  PackedLayer packed{.qkv = make_weight(qkv_columns(config_), d),
                     .q_up = std::nullopt,
                     .kv_up = std::nullopt,
                     .absorbed = std::nullopt,
                     .o = make_weight(d, attended_columns(config_)),
                     .dense = std::nullopt,
                     .experts = {}};
  if (layer.q_up != kAbsent) {
    packed.q_up = make_weight(config_.num_heads * config_.head_dim, latent.q_rank);
  }
  if (layer.kv_up != kAbsent) {
    packed.kv_up = make_weight(config_.num_heads * (latent.nope_dim + latent.value_dim), latent.kv_rank);
  }
  if (absorbs_) {
    packed.absorbed = make_absorbed();
  }
  if (layer.dense.size_f > 0) {
    packed.dense = make_feed_forward(layer.dense.size_f);
  }
  for (const FeedForwardOffsets& expert : layer.experts) {
    packed.experts.push_back(make_feed_forward(expert.size_f));
  }
  return packed;
}

void Weights::make_packed() {
  const std::int64_t d = config_.hidden_size;
  for (const LayerOffsets& layer : layout_.layers) {
    packed_.push_back(make_layer(layer));
  }
  if (config_.value_head) {
    return;
  }
  head_forward_ = make_forward(config_.vocab_size, d);
  if (trainable_) {
    for (std::int64_t begin = 0; begin < config_.vocab_size; begin += kHeadGroup) {
      head_backward_.push_back(make_backward(std::min(kHeadGroup, config_.vocab_size - begin), d));
    }
  }
}

std::int64_t Weights::forward_bytes() const {
  std::int64_t bytes = head_forward_ ? head_forward_->packed_bytes() : 0;
  for (const PackedLayer& layer : packed_) {
    bytes += layer.qkv.forward.packed_bytes() + layer.o.forward.packed_bytes();
    for (const std::optional<PackedWeight>* up : {&layer.q_up, &layer.kv_up}) {
      bytes += *up ? (*up)->forward.packed_bytes() : 0;
    }
    bytes += layer.dense ? layer.dense->forward_bytes() : 0;
    for (std::int64_t i = 0; i < std::min<std::int64_t>(config_.moe.top_k, std::ssize(layer.experts)); ++i) {
      bytes += layer.experts[static_cast<std::size_t>(i)].forward_bytes();
    }
  }
  return bytes;
}

void Weights::pack(ThreadPool& pool) {
  const std::int64_t d = config_.hidden_size;
  std::vector<PackTask> tasks;
  if (head_forward_) {
    add_tasks(*head_forward_, value(layout_.head), 1, d, tasks);
  }
  for (std::size_t group = 0; group < head_backward_.size(); ++group) {
    add_tasks(head_backward_[group], value(layout_.head) + static_cast<std::int64_t>(group) * kHeadGroup * d, d, 1,
              tasks);
  }
  const auto add_feed_forward = [&](PackedFeedForward& packed, const FeedForwardOffsets& offsets) {
    const float* gate_up = value(offsets.gate_up);
    add_tasks(packed.gate, gate_up, 1, d, tasks);
    add_tasks(packed.up, gate_up + offsets.size_f * d, 1, d, tasks);
    if (packed.gate_up_backward) {
      add_tasks(*packed.gate_up_backward, gate_up, d, 1, tasks);
    }
    add_tasks(packed.down, value(offsets.down), offsets.size_f, tasks);
  };
  for (std::size_t index = 0; index < packed_.size(); ++index) {
    PackedLayer& packed = packed_[index];
    const LayerOffsets& offsets = layout_.layers[index];
    add_tasks(packed.qkv, value(offsets.qkv), d, tasks);
    if (packed.q_up) {
      add_tasks(*packed.q_up, value(offsets.q_up), config_.latent.q_rank, tasks);
    }
    if (packed.kv_up) {
      add_tasks(*packed.kv_up, value(offsets.kv_up), config_.latent.kv_rank, tasks);
    }
    if (packed.absorbed) {
      add_tasks(*packed.absorbed, value(offsets.kv_up), config_.latent, tasks);
    }
    add_tasks(packed.o, value(offsets.o), attended_columns(config_), tasks);
    if (packed.dense) {
      add_feed_forward(*packed.dense, offsets.dense);
    }
    for (std::size_t e = 0; e < packed.experts.size(); ++e) {
      add_feed_forward(packed.experts[e], offsets.experts[e]);
    }
  }
  pack_scratch_.resize(static_cast<std::size_t>(pool.num_threads()));
  pool.parallel_for(static_cast<std::int64_t>(tasks.size()), [&](std::int64_t index, int worker) {
    const TraceSpan span("pack weights");
    const PackTask& task = tasks[static_cast<std::size_t>(index)];
    task.matrix->pack_panel(task.panel, task.from, task.stride_i, task.stride_j,
                            pack_scratch_[static_cast<std::size_t>(worker)]);
  });
}

}  // namespace plumb
