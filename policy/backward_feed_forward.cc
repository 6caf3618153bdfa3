// The gradient of a feed-forward block that takes every row.

#include "core/trace.h"
#include "policy/activation_gradient.h"
#include "tensor/rms_norm.h"

namespace plumb {

// The first round of a dense layer for one block of rows: through the feed-forward block and the o product.
void LayerBackward::dense_part(std::int64_t layer, std::int64_t block, int worker) {
  const std::int64_t d = config_.hidden_size;
  const std::int64_t begin = blocks_.begin(block);
  const std::int64_t count = blocks_.size(block);
  for (std::int64_t row = begin; row < begin + count; ++row) {
    b_.d_out.store_row(row, b_.d_x.data() + row * d);
    add_vector(b_.vectors.at(block, offsets(layer).dense.down_bias), b_.d_x.data() + row * d, d);
  }
  back_through_dense(layer, block, worker);
  float* d_normed = worker_rows(worker, d);
  const TraceSpan span("gate and up backward, norm");
  multiply(*engine_.weights.packed(layer).dense->gate_up_backward, b_.d_gate_up.row(begin), count, d_normed, worker);
  AlignedBuffer<float>& normed = engine_.memory(worker).row;
  normed.resize(d);
  for (std::int64_t row = begin; row < begin + count; ++row) {
    const float* x = kept(layer).x_mid.data() + row * d;
    rms_norm(x, engine_.weights.value(offsets(layer).post_norm), d, config_.rms_norm_eps, normed.data());
    b_.normed_mid.store_row(row, normed.data());
    finish_row(layer, block, row, d_normed + (row - begin) * d);
  }
  output_gradient(layer, block, worker);
}

// d_gate_up and the activated values again; with experts, of the shared one, and the gradient of its gate.
void LayerBackward::back_through_dense(std::int64_t layer, std::int64_t block, int worker) {
  const std::int64_t begin = blocks_.begin(block);
  const std::int64_t count = blocks_.size(block);
  const PackedFeedForward& packed = *engine_.weights.packed(layer).dense;
  const bool gated = offsets(layer).shared_gate != kAbsent;
  const float* gates = gated ? routes(layer).shared_gates.data() : nullptr;
  float* d_gates = gated ? b_.experts.d_shared_gate.data() : nullptr;
  activation_gradient(
      {.packed = packed,
       .d_out = b_.d_out,
       .kept = kept(layer).gate_up,
       .d_gate_up = b_.d_gate_up,
       .activated = b_.activated,
       .begin = begin,
       .count = count,
       .bias_sum = b_.vectors.at(block, offsets(layer).dense.gate_up_bias)},
      worker, [](std::int64_t row) { return row; },
      [&](std::int64_t row) {
        return gated ? RowFactor{gates + row, d_gates + row} : RowFactor{};
      });
}

// From the gradient of a normed row to d_x before the feed-forward part, which is that of the o product's result too.
void LayerBackward::finish_row(std::int64_t layer, std::int64_t block, std::int64_t row, const float* d_normed) {
  const std::int64_t d = config_.hidden_size;
  norm_gradient(row, block, kept(layer).x_mid.data() + row * d, offsets(layer).post_norm, d_normed);
  const float* d_mid = b_.d_x.data() + row * d;
  add_vector(b_.vectors.at(block, offsets(layer).o_bias), d_mid, d);
  b_.d_mid.store_row(row, d_mid);
}

}  // namespace plumb
