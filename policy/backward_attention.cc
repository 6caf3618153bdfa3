// The gradient of what stands before and behind attention in a layer.

#include <algorithm>

#include "core/trace.h"
#include "policy/latent.h"
#include "policy/layer_backward.h"
#include "tensor/lanes.h"
#include "tensor/rms_norm.h"

namespace plumb {

// d_attended and delta of a block's rows; d_q, d_k and d_v start at 0.
void LayerBackward::output_gradient(std::int64_t layer, std::int64_t block, int worker) {
  const AttentionShape& shape = engine_.attention;
  const std::int64_t begin = blocks_.begin(block);
  const std::int64_t count = blocks_.size(block);
  const std::int64_t size_e = shape.value_dim();
  const std::int64_t width = shape.num_heads * size_e;
  const std::int64_t q_width = shape.num_heads * shape.padded_dim();
  const std::int64_t k_width = shape.num_kv_heads * shape.head_dim;
  const std::int64_t v_width = shape.num_kv_heads * size_e;
  const TraceSpan span("o backward");
  float* d_attended = worker_rows(worker, width);
  multiply(*engine_.weights.packed(layer).o.backward, b_.d_mid.row(begin), count, d_attended, worker);
  float* attended = more_rows(worker, width);
  for (std::int64_t row = begin; row < begin + count; ++row) {
    kept(layer).attended.load(row, 0, width, attended);
    for (std::int64_t head = 0; head < shape.num_heads; ++head) {
      const float* from = d_attended + (row - begin) * width + head * size_e;
      float* to = b_.d_attended.data() + (row * shape.num_heads + head) * shape.padded_value();
      std::copy(from, from + size_e, to);
      std::fill(to + size_e, to + shape.padded_value(), 0.0F);
      b_.delta.data()[row * shape.num_heads + head] = dot(from, attended + head * size_e, size_e);
    }
    std::fill_n(b_.d_q.data() + row * q_width, q_width, 0.0F);
    std::fill_n(b_.d_k.data() + row * k_width, k_width, 0.0F);
    std::fill_n(b_.d_v.data() + row * v_width, v_width, 0.0F);
  }
}

// The last round of a layer for one block of rows: from d_q, d_k and d_v through the qkv product to d_x.
void LayerBackward::inputs_of_attention(std::int64_t layer, std::int64_t block, int worker) {
  const std::int64_t d = config_.hidden_size;
  const std::int64_t begin = blocks_.begin(block);
  const std::int64_t count = blocks_.size(block);
  const TraceSpan span("qkv backward, rope, norm");
  if (config_.is_latent()) {
    latent_rows(layer, block, worker);
  } else {
    qkv_rows(layer, block, worker);
  }
  float* d_normed = worker_rows(worker, d);
  multiply(*engine_.weights.packed(layer).qkv.backward, b_.d_qkv.row(begin), count, d_normed, worker);
  AlignedBuffer<float>& normed = engine_.memory(worker).row;
  normed.resize(d);
  for (std::int64_t row = begin; row < begin + count; ++row) {
    const float* x = forward_.tape.input(layer) + row * d;
    rms_norm(x, engine_.weights.value(offsets(layer).input_norm), d, config_.rms_norm_eps, normed.data());
    b_.normed_in.store_row(row, normed.data());
    norm_gradient(row, block, x, offsets(layer).input_norm, d_normed + (row - begin) * d);
  }
}

void LayerBackward::qkv_rows(std::int64_t layer, std::int64_t block, int worker) {
  AlignedBuffer<float>& d_qkv = engine_.memory(worker).row;
  d_qkv.resize(b_.d_qkv.columns());
  for (std::int64_t row = blocks_.begin(block); row < blocks_.begin(block + 1); ++row) {
    qkv_row(row, d_qkv.data());
    if (config_.qk_norm) {
      norm_heads_gradient(layer, block, row, d_qkv.data());
    }
    add_vector(b_.vectors.at(block, offsets(layer).qkv_bias), d_qkv.data(), b_.d_qkv.columns());
    b_.d_qkv.store_row(row, d_qkv.data());
  }
}

void LayerBackward::qkv_row(std::int64_t row, float* d_qkv) {
  const AttentionShape& shape = engine_.attention;
  const std::int64_t kv_width = shape.num_kv_heads * shape.head_dim;
  for (std::int64_t head = 0; head < shape.num_heads; ++head) {
    const float* from = b_.d_q.data() + (row * shape.num_heads + head) * shape.padded_dim();
    std::copy(from, from + shape.head_dim, d_qkv + head * shape.head_dim);
  }
  float* d_k = d_qkv + shape.num_heads * shape.head_dim;
  std::copy_n(b_.d_k.data() + row * kv_width, kv_width, d_k);
  std::copy_n(b_.d_v.data() + row * kv_width, kv_width, d_k + kv_width);
  engine_.rope.rotate_back(d_qkv, shape.num_heads + shape.num_kv_heads,
                           forward_.plan.positions[static_cast<std::size_t>(row)]);
}

// d_qkv in place, from behind the norms of queries and keys to before them.
void LayerBackward::norm_heads_gradient(std::int64_t layer, std::int64_t block, std::int64_t row, float* d_qkv) {
  const std::int64_t d = config_.head_dim;
  const float* raw = kept(layer).raw.data() + row * raw_columns(config_);
  std::vector<float> d_normed(static_cast<std::size_t>(d));
  for (std::int64_t head = 0; head < config_.num_heads + config_.num_kv_heads; ++head) {
    const std::int64_t weight = head < config_.num_heads ? offsets(layer).q_norm : offsets(layer).k_norm;
    float* d_head = d_qkv + head * d;
    std::copy_n(d_head, d, d_normed.data());
    std::fill_n(d_head, d, 0.0F);
    rms_norm_backward(raw + head * d, engine_.weights.value(weight), d_normed.data(), d, config_.rms_norm_eps, d_head,
                      b_.vectors.at(block, weight));
  }
}

void LayerBackward::latent_rows(std::int64_t layer, std::int64_t block, int worker) {
  const LatentAttention& latent = config_.latent;
  const std::int64_t columns = qkv_columns(config_);
  const std::int64_t q_columns = config_.num_heads * config_.head_dim;
  const std::int64_t kv_columns = config_.num_heads * (latent.nope_dim + latent.value_dim);
  const std::int64_t begin = blocks_.begin(block);
  const std::int64_t count = blocks_.size(block);
  float* d_down = more_rows(worker, kBackwardRows * columns);
  AlignedBuffer<float>& memory = engine_.memory(worker).row;
  memory.resize(q_columns + kv_columns);
  std::fill_n(d_down, count * columns, 0.0F);
  for (std::int64_t row = begin; row < begin + count; ++row) {
    float* d_row = d_down + (row - begin) * columns;
    float* d_q = latent.q_rank > 0 ? memory.data() : d_row;
    float* d_kv = memory.data() + q_columns;
    latent_row(row, d_row, d_q, d_kv);
    if (latent.q_rank > 0) {
      b_.d_q_up.store_row(row, d_q);
    }
    b_.d_kv_up.store_row(row, d_kv);
  }
  latent_norms(layer, block, worker, d_down);
  for (std::int64_t row = begin; row < begin + count; ++row) {
    b_.d_qkv.store_row(row, d_down + (row - begin) * columns);
  }
}

// The gradient of a row's queries [H, d] and of its up-projected keys and values [H, nope + e]; what all heads say of
// the shared rotary part of the key goes to `d_down`.
void LayerBackward::latent_row(std::int64_t row, float* d_down, float* d_q, float* d_kv) {
  const AttentionShape& shape = engine_.attention;
  const LatentAttention& latent = config_.latent;
  const std::int64_t d = shape.head_dim;
  const std::int64_t position = forward_.plan.positions[static_cast<std::size_t>(row)];
  float* shared = d_down + latent_q_columns(config_) + latent.kv_rank;
  for (std::int64_t head = 0; head < shape.num_heads; ++head) {
    std::copy_n(b_.d_q.data() + (row * shape.num_heads + head) * shape.padded_dim(), d, d_q + head * d);
    const float* d_key = b_.d_k.data() + (row * shape.num_heads + head) * d;
    float* up = d_kv + head * (latent.nope_dim + latent.value_dim);
    std::copy_n(d_key, latent.nope_dim, up);
    std::copy_n(b_.d_v.data() + (row * shape.num_heads + head) * latent.value_dim, latent.value_dim,
                up + latent.nope_dim);
    add_vector(shared, d_key + latent.nope_dim, latent.rope_dim);
  }
  engine_.rope.rotate_back(d_q + latent.nope_dim, shape.num_heads, position, d);
  for (std::int64_t head = 0; head < shape.num_heads; ++head) {
    halves_to_pairs(d_q + head * d + latent.nope_dim, latent.rope_dim);
  }
  engine_.rope.rotate_back(shared, 1, position);
  halves_to_pairs(shared, latent.rope_dim);
}

// Through the up products and the latents' norms, into `d_down` [rows, C].
void LayerBackward::latent_norms(std::int64_t layer, std::int64_t block, int worker, float* d_down) {
  const LatentAttention& latent = config_.latent;
  const PackedLayer& packed = engine_.weights.packed(layer);
  const std::int64_t begin = blocks_.begin(block);
  const std::int64_t count = blocks_.size(block);
  AlignedBuffer<float>& normed = engine_.memory(worker).row;
  normed.resize(std::max(latent.q_rank, latent.kv_rank));
  const auto back = [&](const PackedWeight& up, const Operand& d_up, std::int64_t norm, std::int64_t rank,
                        std::int64_t raw_at, std::int64_t down_at, Operand& latents) {
    float* d_latents = worker_rows(worker, rank);
    multiply(*up.backward, d_up.row(begin), count, d_latents, worker);
    for (std::int64_t row = begin; row < begin + count; ++row) {
      const float* raw = kept(layer).raw.data() + row * raw_columns(config_) + raw_at;
      rms_norm(raw, engine_.weights.value(norm), rank, kLatentNormEps, normed.data());
      latents.store_row(row, normed.data());
      rms_norm_backward(raw, engine_.weights.value(norm), d_latents + (row - begin) * rank, rank, kLatentNormEps,
                        d_down + (row - begin) * qkv_columns(config_) + down_at, b_.vectors.at(block, norm));
    }
  };
  if (packed.q_up) {
    back(*packed.q_up, b_.d_q_up, offsets(layer).q_latent_norm, latent.q_rank, 0, 0, b_.q_latent);
  }
  back(*packed.kv_up, b_.d_kv_up, offsets(layer).kv_latent_norm, latent.kv_rank, latent.q_rank,
       latent_q_columns(config_), b_.kv_latent);
}

}  // namespace plumb
