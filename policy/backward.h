#pragma once
// The gradients of everything that forward.cc and head.cc compute.

#include <span>
#include <vector>

#include "policy/engine.h"

namespace plumb {

/// Gradients of a layer's vectors (norm weights, biases, the shared expert's gate), summed by row block first, so that
/// they do not depend on threads.
class VectorParts {
 public:
  /// Room for the vectors of `layer`, all zero.
  void reset(const ModelConfig& config, const LayerOffsets& layer, std::int64_t num_blocks);
  /// The sum of `block` for the vector at `offset` of the masters; null for kAbsent.
  [[nodiscard]] float* at(std::int64_t block, std::int64_t offset);
  /// Adds all sums to the gradients, block after block.
  void add_to(Weights& weights) const;

 private:
  struct Part {
    std::int64_t offset = 0;
    std::int64_t size = 0;
    std::int64_t begin = 0;
  };
  std::vector<Part> parts_;
  std::int64_t width_ = 0;
  std::int64_t num_blocks_ = 0;
  AlignedBuffer<float> sums_;  // [blocks, width]
};

/// Memory of the backward of routed experts. Places as in ExpertOrder.
struct ExpertBuffers {
  explicit ExpertBuffers(ComputeDtype dtype) : d_out(dtype), activated(dtype), d_gate_up(dtype), normed(dtype) {}
  void resize(const ModelConfig& config, std::int64_t rows);

  ExpertOrder order;
  Operand d_out;                       // [places, D]
  Operand activated;                   // [places, F] times the route's weight
  Operand d_gate_up;                   // [places, 2F]
  Operand normed;                      // [places, D]
  AlignedBuffer<float> d_normed;       // [places, D]
  AlignedBuffer<float> d_weights;      // [T, k]
  AlignedBuffer<float> d_logits;       // [T, E]
  AlignedBuffer<float> router_input;   // [T, D] the normed rows in f32
  AlignedBuffer<float> d_shared;       // [T, D] of the normed rows, through the shared expert
  AlignedBuffer<float> d_shared_gate;  // [T]
};

/// Memory of the backward, reused from call to call.
struct BackwardBuffers {
  const RouterGradient* router_gradient = nullptr;  // of the batch, or none
  float z_loss = 0;                                 // times (log sum exp)^2 of each target's row
  explicit BackwardBuffers(ComputeDtype dtype)
      : d_out(dtype),
        activated(dtype),
        d_gate_up(dtype),
        normed_mid(dtype),
        d_mid(dtype),
        d_qkv(dtype),
        normed_in(dtype),
        d_q_up(dtype),
        d_kv_up(dtype),
        q_latent(dtype),
        kv_latent(dtype),
        experts(dtype),
        d_logits(dtype) {}

  AlignedBuffer<float> d_x;         // [T, D] gradient of the residual stream
  Operand d_out;                    // [T, D] d_x rounded: of the down product's result
  Operand activated;                // [T, F] swiglu again
  Operand d_gate_up;                // [T, 2F]
  Operand normed_mid;               // [T, D]
  Operand d_mid;                    // [T, D] of the o product's result
  AlignedBuffer<float> d_attended;  // [T, H, padded e]
  AlignedBuffer<float> delta;       // [T, H]
  AlignedBuffer<float> d_q;         // [T, H, padded d]
  AlignedBuffer<float> d_k;         // [T, K, d]
  AlignedBuffer<float> d_v;         // [T, K, e]
  Operand d_qkv;                    // [T, C]
  Operand normed_in;                // [T, D]
  Operand d_q_up;                   // [T, H d], with latent attention
  Operand d_kv_up;                  // [T, H (nope + e)]
  Operand q_latent;                 // [T, q rank]
  Operand kv_latent;                // [T, kv rank]
  ExpertBuffers experts;
  VectorParts vectors;
  Operand d_logits;               // [U, group]
  AlignedBuffer<float> d_hidden;  // [U, D]
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
