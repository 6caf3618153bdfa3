#pragma once
// The gradients of everything that forward.cc and head.cc compute.

#include <span>
#include <vector>

#include "policy/engine.h"

namespace plumb {

/// Memory of the backward, reused from call to call.
struct BackwardBuffers {
  explicit BackwardBuffers(ComputeDtype dtype)
      : d_out(dtype),
        activated(dtype),
        d_gate_up(dtype),
        normed_mid(dtype),
        d_mid(dtype),
        d_qkv(dtype),
        normed_in(dtype),
        d_logits(dtype) {}

  AlignedBuffer<float> d_x;         // [T, D] gradient of the residual stream
  Operand d_out;                    // [T, D] d_x rounded: of the down product's result
  Operand activated;                // [T, F] swiglu again
  Operand d_gate_up;                // [T, 2F]
  Operand normed_mid;               // [T, D]
  Operand d_mid;                    // [T, D] of the o product's result
  AlignedBuffer<float> d_attended;  // [T, H, padded d]
  AlignedBuffer<float> delta;       // [T, H]
  AlignedBuffer<float> d_q;         // [T, H, padded d]
  AlignedBuffer<float> d_k;         // [T, K, d]
  AlignedBuffer<float> d_v;         // [T, K, d]
  Operand d_qkv;                    // [T, (H + 2K) d]
  Operand normed_in;                // [T, D]
  AlignedBuffer<float> norm_parts;  // [blocks, 2, D] gradients of a layer's norm weights, by row block
  Operand d_logits;                 // [U, group]
  AlignedBuffer<float> d_hidden;    // [U, D]
  std::vector<AlignedBuffer<float>> worker_rows;
  std::vector<AlignedBuffer<float>> worker_more_rows;
  std::vector<AlignedBuffer<float>> worker_pages;
};

/// What a forward left behind. The backward restores the layers that the tape does not hold.
struct ForwardState {
  const BatchPages& pages;
  const RowPlan& plan;
  LayerTape& tape;
  const AlignedBuffer<float>& x;  // [T, D] after the last layer
  const HeadActivations& head;
};

/// Adds the gradient of sum_i d_log_probs[i] log_probs[i] to all parameters' gradients. Bits depend on the batch alone.
void run_backward(Engine& engine, const ForwardState& forward, std::span<const float> d_log_probs,
                  BackwardBuffers& buffers);

/// The head's part: fills buffers.d_x from the log-probs' gradients.
void run_head_backward(Engine& engine, const ForwardState& forward, std::span<const float> d_log_probs,
                       BackwardBuffers& buffers);

/// Attention's part for layer `layer`: buffers.d_attended and .delta in; .d_q, .d_k, .d_v out. Task `index` of
/// num_attention_tasks is one kv head of one tree of segments.
std::int64_t num_attention_tasks(const Engine& engine, const ForwardState& forward);
void run_attention_task(Engine& engine, const ForwardState& forward, std::int64_t layer, std::int64_t index, int worker,
                        BackwardBuffers& buffers);

}  // namespace plumb
