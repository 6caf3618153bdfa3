#pragma once
// LayerBackward::activation_gradient(), for the two files that use it.

#include "core/trace.h"
#include "policy/layer_backward.h"
#include "tensor/gated_activation.h"
#include "tensor/lanes.h"

namespace plumb {

// With f a row's factor and a its activation, the forward computed f (W_down a). So d_a = f (W_down^T d_out), the
// factor's gradient is (W_down^T d_out) a, and W_down's takes f a. Some columns at a time, always the same ones.
template <typename KeptRow, typename Factor>
void LayerBackward::activation_gradient(const ActivationGradient& job, int worker, KeptRow kept_row, Factor factor) {
  const TraceSpan span("down backward, swiglu backward");
  const auto kind = static_cast<GateKind>(config_.activation);
  const std::int64_t f = job.packed.gate.columns();
  const PackedMatrix& matrix = *job.packed.down.backward;
  for_pieces(matrix.all_panels(), [&](PanelRange piece) {
    const std::int64_t first = matrix.panel_begin(piece.begin);
    const std::int64_t columns = matrix.width(piece);
    float* d_activated = worker_rows(worker, columns);
    matrix.multiply(piece, job.d_out.row(job.begin), job.count, {.y = d_activated, .row_stride = columns},
                    scratch(worker));
    float* gate = more_rows(worker, 5 * columns);
    float* up = gate + columns;
    float* d_gate = up + columns;
    float* d_up = d_gate + columns;
    float* activated = d_up + columns;
    for (std::int64_t row = job.begin; row < job.begin + job.count; ++row) {
      float* d = d_activated + (row - job.begin) * columns;
      job.kept.load(kept_row(row), first, columns, gate);
      job.kept.load(kept_row(row), f + first, columns, up);
      gated_activation(kind, gate, up, columns, activated);
      if (const RowFactor scaled = factor(row); scaled.value != nullptr) {
        *scaled.gradient += dot(d, activated, columns);
        for (std::int64_t i = 0; i < columns; ++i) {
          d[i] *= *scaled.value;
          activated[i] *= *scaled.value;
        }
      }
      gated_activation_backward(kind, gate, up, d, columns, d_gate, d_up);
      job.d_gate_up.store(row, first, columns, d_gate);
      job.d_gate_up.store(row, f + first, columns, d_up);
      job.activated.store(row, first, columns, activated);
      if (job.bias_sum != nullptr) {
        add_vector(job.bias_sum + first, d_gate, columns);
        add_vector(job.bias_sum + f + first, d_up, columns);
      }
    }
  });
}

}  // namespace plumb
