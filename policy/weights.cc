#include "policy/weights.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "core/check.h"
#include "core/trace.h"

namespace plumb {
namespace {

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  }
  return text + "]";
}

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

void add_tasks(PackedWeight& weight, const float* from, std::int64_t in, std::vector<PackTask>& tasks) {
  add_tasks(weight.forward, from, 1, in, tasks);
  if (weight.backward) {
    add_tasks(*weight.backward, from, in, 1, tasks);
  }
}

}  // namespace

Result<std::unique_ptr<Weights>> Weights::create(const ModelConfig& config, std::vector<NamedTensor> tensors,
                                                 ComputeDtype dtype, bool trainable) {
  std::unique_ptr<Weights> weights(new Weights(config, dtype, trainable));
  weights->lay_out();
  PLUMB_TRY(weights->take(std::move(tensors)));
  weights->make_packed();
  return weights;
}

Weights::Weights(const ModelConfig& config, ComputeDtype dtype, bool trainable)
    : config_(config), dtype_(dtype), trainable_(trainable) {}

void Weights::add_view(std::string name, std::vector<std::int64_t> shape, std::int64_t offset) {
  parameters_.push_back({std::move(name), std::move(shape), {}, {}});
  view_offsets_.push_back(offset);
}

void Weights::lay_out() {
  const std::int64_t d = config_.hidden_size;
  const std::int64_t q_rows = config_.num_heads * config_.head_dim;
  const std::int64_t kv_rows = config_.num_kv_heads * config_.head_dim;
  const std::int64_t f = config_.intermediate_size;
  std::int64_t end = 0;
  const auto place = [&](std::string name, std::vector<std::int64_t> shape) {
    std::int64_t count = 1;
    for (const std::int64_t n : shape) {
      count *= n;
    }
    const std::int64_t offset = end;
    add_view(std::move(name), std::move(shape), offset);
    end += count;
    return offset;
  };
  embedding_ = place("model.embed_tokens.weight", {config_.vocab_size, d});
  for (std::int64_t index = 0; index < config_.num_layers; ++index) {
    const std::string prefix = "model.layers." + std::to_string(index) + ".";
    LayerOffsets layer;
    layer.input_norm = place(prefix + "input_layernorm.weight", {d});
    layer.qkv = place(prefix + "self_attn.q_proj.weight", {q_rows, d});
    place(prefix + "self_attn.k_proj.weight", {kv_rows, d});
    place(prefix + "self_attn.v_proj.weight", {kv_rows, d});
    layer.o = place(prefix + "self_attn.o_proj.weight", {d, q_rows});
    layer.post_norm = place(prefix + "post_attention_layernorm.weight", {d});
    layer.gate_up = place(prefix + "mlp.gate_proj.weight", {f, d});
    place(prefix + "mlp.up_proj.weight", {f, d});
    layer.down = place(prefix + "mlp.down_proj.weight", {d, f});
    layers_.push_back(layer);
  }
  final_norm_ = place("model.norm.weight", {d});
  head_ = config_.tie_embeddings ? embedding_ : place("lm_head.weight", {config_.vocab_size, d});
  values_.resize(end);
  if (trainable_) {
    gradients_.resize(end);
    gradients_.fill_zero();
  }
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const std::int64_t next = i + 1 < view_offsets_.size() ? view_offsets_[i + 1] : end;
    const auto size = static_cast<std::size_t>(next - view_offsets_[i]);
    parameters_[i].value = {values_.data() + view_offsets_[i], size};
    if (trainable_) {
      parameters_[i].gradient = {gradients_.data() + view_offsets_[i], size};
    }
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

void Weights::make_packed() {
  const std::int64_t d = config_.hidden_size;
  const std::int64_t q_rows = config_.num_heads * config_.head_dim;
  const std::int64_t kv_rows = config_.num_kv_heads * config_.head_dim;
  const std::int64_t f = config_.intermediate_size;
  for (std::int64_t index = 0; index < config_.num_layers; ++index) {
    packed_.push_back({.qkv = make_weight(q_rows + 2 * kv_rows, d),
                       .o = make_weight(d, q_rows),
                       .gate = make_forward(f, d),
                       .up = make_forward(f, d),
                       .gate_up_backward = std::nullopt,
                       .down = make_weight(d, f)});
    if (trainable_) {
      packed_.back().gate_up_backward = make_backward(2 * f, d);
    }
  }
  head_forward_ = make_forward(config_.vocab_size, d);
  if (trainable_) {
    for (std::int64_t begin = 0; begin < config_.vocab_size; begin += kHeadGroup) {
      head_backward_.push_back(make_backward(std::min(kHeadGroup, config_.vocab_size - begin), d));
    }
  }
}

std::int64_t Weights::forward_bytes() const {
  std::int64_t bytes = head_forward_->packed_bytes();
  for (const PackedLayer& layer : packed_) {
    bytes += layer.qkv.forward.packed_bytes() + layer.o.forward.packed_bytes() + layer.gate.packed_bytes() +
             layer.up.packed_bytes() + layer.down.forward.packed_bytes();
  }
  return bytes;
}

void Weights::pack(ThreadPool& pool) {
  const std::int64_t d = config_.hidden_size;
  std::vector<PackTask> tasks;
  add_tasks(*head_forward_, value(head_), 1, d, tasks);
  for (std::size_t group = 0; group < head_backward_.size(); ++group) {
    add_tasks(head_backward_[group], value(head_) + static_cast<std::int64_t>(group) * kHeadGroup * d, d, 1, tasks);
  }
  for (std::size_t index = 0; index < packed_.size(); ++index) {
    add_tasks(packed_[index].qkv, value(layers_[index].qkv), d, tasks);
    add_tasks(packed_[index].o, value(layers_[index].o), config_.num_heads * config_.head_dim, tasks);
    const float* gate_up = value(layers_[index].gate_up);
    add_tasks(packed_[index].gate, gate_up, 1, d, tasks);
    add_tasks(packed_[index].up, gate_up + config_.intermediate_size * d, 1, d, tasks);
    if (packed_[index].gate_up_backward) {
      add_tasks(*packed_[index].gate_up_backward, gate_up, d, 1, tasks);
    }
    add_tasks(packed_[index].down, value(layers_[index].down), config_.intermediate_size, tasks);
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
