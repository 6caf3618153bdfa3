#pragma once
// The layers of a model, backward. Each layer is rounds of tasks with a barrier after each: the feed-forward part and
// the o product by blocks of rows (with experts: first each expert's rows, then blocks of rows again); attention by
// trees of segments; what comes before attention by blocks of rows again. Weight gradients need all rows of a round, so
// they run as tasks of the next one.

#include <functional>
#include <vector>

#include "policy/backward.h"

namespace plumb {

inline constexpr std::int64_t kBackwardRows = 64;  // of a block

/// Rows that go back through one down product and the activation before it.
struct ActivationGradient {
  const PackedFeedForward& packed;
  const Operand& d_out;  // rows `begin` to `begin + count` of it, of `d_gate_up` and of `activated`
  const Operand& kept;   // gate and up of the forward
  Operand& d_gate_up;
  Operand& activated;
  std::int64_t begin = 0;
  std::int64_t count = 0;
  float* bias_sum = nullptr;  // [2F] += d_gate_up, or null
};

/// A number that a row's activation was multiplied by on its way, and its gradient (+=). Null: none.
struct RowFactor {
  const float* value = nullptr;
  float* gradient = nullptr;
};

class LayerBackward {
 public:
  LayerBackward(Engine& engine, const ForwardState& forward, BackwardBuffers& buffers);

  void run();

 private:
  using Task = std::function<void(int worker)>;

  void reserve(std::int64_t layer);
  void run_tasks();
  void add_weight_tasks(const Operand& dy, const Operand& x, std::int64_t offset);
  void add_block_tasks(void (LayerBackward::*body)(std::int64_t layer, std::int64_t block, int worker),
                       std::int64_t layer);
  void norm_gradient(std::int64_t row, std::int64_t block, const float* x, std::int64_t weight, const float* dy);

  // backward_feed_forward.cc
  void dense_part(std::int64_t layer, std::int64_t block, int worker);
  void back_through_dense(std::int64_t layer, std::int64_t block, int worker);
  void finish_row(std::int64_t layer, std::int64_t block, std::int64_t row, const float* d_normed);
  template <typename KeptRow, typename Factor>
  void activation_gradient(const ActivationGradient& job, int worker, KeptRow kept_row, Factor factor);

  // backward_experts.cc
  void start_sparse(std::int64_t layer, std::int64_t block, int worker);
  void add_expert_tasks(std::int64_t layer);
  void expert_places(std::int64_t layer, std::int64_t expert, std::int64_t begin, std::int64_t count, int worker);
  void finish_sparse(std::int64_t layer, std::int64_t block, int worker);
  void router_gradient(std::int64_t layer, std::int64_t block, std::int64_t row, float* d_normed, float* scratch);
  void add_expert_weight_tasks(std::int64_t layer);

  // backward_attention.cc
  void output_gradient(std::int64_t layer, std::int64_t block, int worker);
  void inputs_of_attention(std::int64_t layer, std::int64_t block, int worker);
  void qkv_rows(std::int64_t layer, std::int64_t block, int worker);
  void qkv_row(std::int64_t row, float* d_qkv);
  void norm_heads_gradient(std::int64_t layer, std::int64_t block, std::int64_t row, float* d_qkv);
  void latent_rows(std::int64_t layer, std::int64_t block, int worker);
  void latent_row(std::int64_t row, float* d_down, float* d_q, float* d_kv);
  void latent_norms(std::int64_t layer, std::int64_t block, int worker, float* d_down);

  [[nodiscard]] const LayerActivations& kept(std::int64_t layer) const { return forward_.tape.activations(layer); }
  [[nodiscard]] Routes& routes(std::int64_t layer) const {
    return forward_.tape.routes[static_cast<std::size_t>(layer)];
  }
  [[nodiscard]] const LayerOffsets& offsets(std::int64_t layer) const { return engine_.weights.layer(layer); }
  [[nodiscard]] ProductScratch& scratch(int worker) { return engine_.memory(worker).product; }
  // y [padded rows, columns] = x B.
  void multiply(const PackedMatrix& matrix, const void* x, std::int64_t rows, float* y, int worker) {
    matrix.multiply(matrix.all_panels(), x, rows, {.y = y, .row_stride = matrix.columns()}, scratch(worker));
  }
  [[nodiscard]] float* worker_rows(int worker, std::int64_t columns) {
    AlignedBuffer<float>& rows = b_.worker_rows[static_cast<std::size_t>(worker)];
    rows.resize(kBackwardRows * columns);
    return rows.data();
  }
  [[nodiscard]] float* more_rows(int worker, std::int64_t floats) {
    AlignedBuffer<float>& rows = b_.worker_more_rows[static_cast<std::size_t>(worker)];
    rows.resize(floats);
    return rows.data();
  }

  Engine& engine_;
  const ModelConfig& config_;
  const ForwardState& forward_;
  BackwardBuffers& b_;
  std::int64_t rows_;
  RowBlocks blocks_;
  std::vector<Task> tasks_;
};

/// to[i] += from[i]; nothing where `to` is null.
inline void add_vector(float* to, const float* from, std::int64_t size) {
  for (std::int64_t i = 0; to != nullptr && i < size; ++i) {
    to[i] += from[i];
  }
}

}  // namespace plumb
