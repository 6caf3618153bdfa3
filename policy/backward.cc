#include "policy/backward.h"

#include <algorithm>
#include <functional>

#include "core/trace.h"
#include "policy/layer_backward.h"
#include "tensor/embedding.h"
#include "tensor/rms_norm.h"

namespace plumb {
namespace {

constexpr std::int64_t kBlockMultiple = 4;  // threads that end together

}  // namespace

void VectorParts::reset(const ModelConfig& config, const LayerOffsets& layer, std::int64_t num_blocks) {
  parts_.clear();
  width_ = 0;
  num_blocks_ = num_blocks;
  const auto add = [&](std::int64_t offset, std::int64_t size) {
    if (offset != kAbsent) {
      parts_.push_back({offset, size, width_});
      width_ += size;
    }
  };
  const std::int64_t d = config.hidden_size;
  add(layer.input_norm, d);
  add(layer.post_norm, d);
  add(layer.qkv_bias, qkv_columns(config));
  add(layer.q_norm, config.head_dim);
  add(layer.k_norm, config.head_dim);
  add(layer.q_latent_norm, config.latent.q_rank);
  add(layer.kv_latent_norm, config.latent.kv_rank);
  add(layer.o_bias, d);
  add(layer.dense.gate_up_bias, 2 * layer.dense.size_f);
  add(layer.dense.down_bias, d);
  add(layer.shared_gate, d);
  sums_.resize(num_blocks * width_);
  sums_.fill_zero();
}

float* VectorParts::at(std::int64_t block, std::int64_t offset) {
  for (const Part& part : parts_) {
    if (part.offset == offset) {
      return sums_.data() + block * width_ + part.begin;
    }
  }
  return nullptr;
}

void VectorParts::add_to(Weights& weights) const {
  for (const Part& part : parts_) {
    for (std::int64_t block = 0; block < num_blocks_; ++block) {
      add_vector(weights.gradient(part.offset), sums_.data() + block * width_ + part.begin, part.size);
    }
  }
}

LayerBackward::LayerBackward(Engine& engine, const ForwardState& forward, BackwardBuffers& buffers)
    : engine_(engine),
      config_(engine.config),
      forward_(forward),
      b_(buffers),
      rows_(forward.plan.num_rows()),
      blocks_(rows_, kBackwardRows, kBlockMultiple) {}

void LayerBackward::reserve(std::int64_t layer) {
  const AttentionShape& shape = engine_.attention;
  const std::int64_t d = config_.hidden_size;
  const std::int64_t dense_size = config_.dense_size(layer);
  b_.d_out.resize(rows_, d);
  b_.activated.resize(rows_, dense_size);
  b_.d_gate_up.resize(rows_, 2 * dense_size);
  b_.normed_mid.resize(rows_, d);
  b_.d_mid.resize(rows_, d);
  b_.d_attended.resize(rows_ * shape.num_heads * shape.padded_value());
  b_.delta.resize(rows_ * shape.num_heads);
  b_.d_q.resize(rows_ * shape.num_heads * shape.padded_dim());
  b_.d_k.resize(rows_ * shape.num_kv_heads * shape.head_dim);
  b_.d_v.resize(rows_ * shape.num_kv_heads * shape.value_dim());
  b_.vectors.reset(config_, offsets(layer), blocks_.count());
  if (config_.is_sparse(layer)) {
    b_.experts.resize(config_, rows_);
  }
}

void LayerBackward::run_tasks() {
  engine_.pool.parallel_for(static_cast<std::int64_t>(tasks_.size()),
                            [&](std::int64_t index, int worker) { tasks_[static_cast<std::size_t>(index)](worker); });
  tasks_.clear();
}

void LayerBackward::add_weight_tasks(const Operand& dy, const Operand& x, std::int64_t offset) {
  for (std::int64_t begin = 0; begin < dy.columns(); begin += kGradientPanel) {
    const std::int64_t end = std::min(dy.columns(), begin + kGradientPanel);
    tasks_.emplace_back([this, &dy, &x, offset, begin, end](int worker) {
      const TraceSpan span("weight gradient");
      accumulate_weight_gradient(dy, x, begin, end, engine_.weights.gradient(offset), scratch(worker));
    });
  }
}

void LayerBackward::add_block_tasks(void (LayerBackward::*body)(std::int64_t layer, std::int64_t block, int worker),
                                    std::int64_t layer) {
  for (std::int64_t block = 0; block < blocks_.count(); ++block) {
    tasks_.emplace_back([this, body, layer, block](int worker) { (this->*body)(layer, block, worker); });
  }
}

void LayerBackward::run() {
  // Read by tasks that run together with the next layer's first.
  b_.d_qkv.resize(rows_, qkv_columns(config_));
  b_.normed_in.resize(rows_, config_.hidden_size);
  if (config_.is_latent()) {
    const LatentAttention& latent = config_.latent;
    b_.d_q_up.resize(rows_, config_.num_heads * config_.head_dim);
    b_.d_kv_up.resize(rows_, config_.num_heads * (latent.nope_dim + latent.value_dim));
    b_.q_latent.resize(rows_, latent.q_rank);
    b_.kv_latent.resize(rows_, latent.kv_rank);
  }
  for (std::int64_t layer = config_.num_layers - 1; layer >= 0; --layer) {
    restore_layer(engine_, forward_.plan, forward_.tape, layer);
    reserve(layer);
    if (config_.is_sparse(layer)) {
      add_block_tasks(&LayerBackward::start_sparse, layer);
      add_expert_tasks(layer);
      run_tasks();
      add_block_tasks(&LayerBackward::finish_sparse, layer);
    } else {
      add_block_tasks(&LayerBackward::dense_part, layer);
    }
    run_tasks();
    // Long tasks first, so that threads end together.
    if (offsets(layer).dense.size_f > 0) {
      add_weight_tasks(b_.d_out, b_.activated, offsets(layer).dense.down);
      add_weight_tasks(b_.d_gate_up, b_.normed_mid, offsets(layer).dense.gate_up);
    }
    if (config_.is_sparse(layer)) {
      add_expert_weight_tasks(layer);
    }
    add_weight_tasks(b_.d_mid, kept(layer).attended, offsets(layer).o);
    for (std::int64_t index = 0; index < num_attention_tasks(engine_, forward_); ++index) {
      tasks_.emplace_back([this, layer, index](int worker) {
        const TraceSpan span("attention backward");
        run_attention_task(engine_, forward_, layer, index, worker, b_);
      });
    }
    run_tasks();
    add_block_tasks(&LayerBackward::inputs_of_attention, layer);
    run_tasks();
    b_.vectors.add_to(engine_.weights);
    add_weight_tasks(b_.d_qkv, b_.normed_in, offsets(layer).qkv);
    if (offsets(layer).q_up != kAbsent) {
      add_weight_tasks(b_.d_q_up, b_.q_latent, offsets(layer).q_up);
    }
    if (offsets(layer).kv_up != kAbsent) {
      add_weight_tasks(b_.d_kv_up, b_.kv_latent, offsets(layer).kv_up);
    }
  }
  run_tasks();
}

void LayerBackward::norm_gradient(std::int64_t row, std::int64_t block, const float* x, std::int64_t weight,
                                  const float* dy) {
  const std::int64_t d = config_.hidden_size;
  rms_norm_backward(x, engine_.weights.value(weight), dy, d, config_.rms_norm_eps, b_.d_x.data() + row * d,
                    b_.vectors.at(block, weight));
}

void run_backward(Engine& engine, const ForwardState& forward, std::span<const float> d_log_probs,
                  BackwardBuffers& buffers) {
  const auto threads = static_cast<std::size_t>(engine.pool.num_threads());
  buffers.worker_rows.resize(threads);
  buffers.worker_more_rows.resize(threads);
  buffers.worker_pages.resize(threads);
  run_head_backward(engine, forward, d_log_probs, buffers);
  LayerBackward(engine, forward, buffers).run();
  const TraceSpan span("embedding backward");
  embedding_backward(forward.plan.token_ids, buffers.d_x.data(), engine.config.hidden_size,
                     engine.weights.gradient(engine.weights.embedding()), engine.pool);
}

}  // namespace plumb
