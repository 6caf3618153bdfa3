#pragma once
// What the forward and the backward of the layers share: scratch memory, ways to run over rows, activations.

#include <cstdint>
#include <functional>
#include <vector>

#include "core/thread_pool.h"
#include "policy/model_config.h"
#include "policy/row_plan.h"
#include "policy/weights.h"
#include "tensor/attention.h"
#include "tensor/buffer.h"
#include "tensor/linear.h"
#include "tensor/log_softmax.h"
#include "tensor/operand.h"
#include "tensor/rope.h"

namespace plumb {

/// Memory of one thread.
struct WorkerScratch {
  explicit WorkerScratch(ComputeDtype dtype) : operand(dtype), wide_operand(dtype) {}

  Operand operand;       // rows of a block, [.., D] or [.., H d]
  Operand wide_operand;  // rows of a block, [.., F]
  AlignedBuffer<float> rows;
  AlignedBuffer<float> more_rows;
  AlignedBuffer<float> attention;
};

/// A range of rows and how to run over it: alone on one thread (inside a task of a larger parallel loop), or with the
/// whole pool (few rows: then products are shared out by column panels). The bits are the same either way.
struct RowBlock {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  int worker = 0;
  ThreadPool* pool = nullptr;  // null: alone

  [[nodiscard]] std::int64_t size() const { return end - begin; }
};

/// The activations of one layer that its backward needs.
struct LayerActivations {
  explicit LayerActivations(ComputeDtype dtype) : attended(dtype), gate_up(dtype) {}

  AlignedBuffer<float> x_in;         // [T, D] the residual stream before attention
  AlignedBuffer<float> q;            // [T, H, padded d] rotated queries
  AlignedBuffer<float> log_sum_exp;  // [T, H]
  Operand attended;                  // [T, H d]
  AlignedBuffer<float> x_mid;        // [T, D] the residual stream before the feed-forward block
  Operand gate_up;                   // [T, 2F]
};

/// The rows that the head looks at, each once, and what it said of them.
struct HeadActivations {
  explicit HeadActivations(ComputeDtype dtype) : hidden(dtype) {}

  std::vector<std::int64_t> rows;           // [U] rows of the batch, in order of first mention
  std::vector<std::int64_t> row_of_target;  // [R] index into rows
  std::vector<std::int32_t> target_ids;     // [R]
  std::vector<LogitStats> stats;            // [U]
  float inverse_temperature = 1.0F;
  Operand hidden;  // [U, D] after the last norm
};

/// The parts of a policy that every pass needs. One pass runs at a time.
struct Engine {
  Engine(const ModelConfig& model, ComputeDtype compute_dtype, ThreadPool& thread_pool, Weights& model_weights);

  [[nodiscard]] WorkerScratch& worker_scratch(int worker) { return workers[static_cast<std::size_t>(worker)]; }

  /// y = x W^T for the rows of `block`; y [padded rows, out].
  void multiply(const PackedMatrix& matrix, const Operand& x, const RowBlock& block, float* y);
  /// body(row, worker) for each row of the block.
  void for_rows(const RowBlock& block, const std::function<void(std::int64_t row, int worker)>& body);

  ModelConfig config;
  ComputeDtype dtype;
  ThreadPool& pool;
  Weights& weights;
  AttentionShape attention;
  RopeTable rope;
  std::vector<WorkerScratch> workers;
  std::vector<ProductScratch> product_scratch;
  AlignedBuffer<float> queries;  // [T, H, padded d], where no tape keeps them
  AlignedBuffer<float> logits;   // [64, V]
};

/// Runs the layers over the rows of `plan`: keys and values go to its pages, the residual stream ends in `x` [T, D].
/// With `layers` [L] given, activations are kept there for the backward.
void run_layers(Engine& engine, const RowPlan& plan, AlignedBuffer<float>& x, std::vector<LayerActivations>* layers);

/// Receives the raw logits [V] of head row `index`; called from the pool's threads.
using HeadVisitor = std::function<void(std::int64_t index, int worker, std::span<float> logits)>;

/// Logits of `rows` of `x` [T, D], 64 rows at a time. `hidden`, where given, keeps the normed rows.
void run_head(Engine& engine, const float* x, std::span<const std::int64_t> rows, Operand* hidden,
              const HeadVisitor& visit);

}  // namespace plumb
