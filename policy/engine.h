#pragma once
// What the forward and the backward of the layers share: scratch memory, ways to run over rows, activations.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "core/thread_pool.h"
#include "policy/expert_order.h"
#include "policy/model_config.h"
#include "policy/product_proof.h"
#include "policy/row_plan.h"
#include "policy/team.h"
#include "policy/weights.h"
#include "tensor/attention.h"
#include "tensor/buffer.h"
#include "tensor/linear.h"
#include "tensor/log_softmax.h"
#include "tensor/operand.h"
#include "tensor/rope.h"
#include "tensor/router.h"

namespace plumb {

/// What the rows of a block go through, shared by the threads that work on it. Row r of the block is row r here.
struct BlockMemory {
  explicit BlockMemory(ComputeDtype dtype)
      : normed(dtype),
        attended(dtype),
        activated(dtype),
        q_latent(dtype),
        kv_latent(dtype),
        absorbed_nope(dtype),
        absorbed_attended(dtype),
        shared_activated(dtype),
        gathered(dtype),
        expert_activated(dtype) {}
  void resize(const ModelConfig& config, std::int64_t rows, bool absorbed);

  Operand normed;            // [R, D]
  AlignedBuffer<float> qkv;  // [padded R, C]
  Operand attended;          // [R, H e]
  Operand activated;         // [R, F]

  Operand q_latent;            // [R, q rank], with latent attention
  Operand kv_latent;           // [R, kv rank]
  AlignedBuffer<float> q_up;   // [padded R, H d]
  AlignedBuffer<float> kv_up;  // [padded R, H (nope + e)]

  // Attention among latents, all of one head together: row r of head h stands at h * padded R + r.
  Operand absorbed_nope;                  // [H padded R, nope] of the queries
  AlignedBuffer<float> absorbed_queries;  // [H padded R, kv rank]
  Operand absorbed_attended;              // [H padded R, kv rank]
  AlignedBuffer<float> absorbed_values;   // [H padded R, e]

  Operand shared_activated;  // [R, F of the shared expert], with experts
  ExpertOrder order;         // of the block's rows
  Operand gathered;          // [places, D] normed rows by expert
  Operand expert_activated;  // [places, F of an expert]
};

/// What the router said of each row of a batch, in one layer.
struct Routes {
  /// Makes room for `rows` rows; contents are undefined afterwards.
  void resize(const ModelConfig& config, std::int64_t rows);

  AlignedBuffer<float> logits;          // [T, E]
  AlignedBuffer<std::int32_t> experts;  // [T, k]
  AlignedBuffer<float> weights;         // [T, k]
  AlignedBuffer<float> shared_gates;    // [T] sigmoid, where the shared expert has a gate
};

/// Memory of one thread.
struct WorkerMemory {
  explicit WorkerMemory(ComputeDtype dtype) : block(dtype) {}

  BlockMemory block;                // of the block that this thread runs alone
  AlignedBuffer<float> row;         // one row's numbers
  AlignedBuffer<float> tile;        // some columns of a product
  AlignedBuffer<float> other_tile;  // and of another
  AlignedBuffer<float> scores;      // attention's
  ProductScratch product;
};

/// A range of rows and who runs over it: one thread alone, or a team whose members share out rows and column panels and
/// meet in between (few rows: then each thread reads its part of the weights only). The bits are the same either way.
struct RowBlock {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  int worker = 0;
  BlockMemory* memory = nullptr;
  Team* team = nullptr;  // null: alone
  int member = 0;

  [[nodiscard]] std::int64_t size() const { return end - begin; }
  [[nodiscard]] int members() const { return team == nullptr ? 1 : team->size(); }
  [[nodiscard]] std::int64_t first_row() const { return begin + size() * member / members(); }
  [[nodiscard]] std::int64_t last_row() const { return begin + size() * (member + 1) / members(); }
  /// This thread's part of a product's columns.
  [[nodiscard]] PanelRange panels(const PackedMatrix& matrix) const {
    return share_of(matrix.all_panels(), member, members());
  }
  void meet() const {
    if (team != nullptr) {
      team->meet();
    }
  }
};

/// Rows cut into blocks of at most `largest` rows (a multiple of the 16 rows of a tile), as even as tiles allow. Their
/// number is a multiple of `multiple`, so that as many threads end together; blocks may be empty.
class RowBlocks {
 public:
  RowBlocks(std::int64_t rows, std::int64_t largest, std::int64_t multiple)
      : rows_(rows), tiles_(padded_rows(rows) / kRowTile) {
    const std::int64_t needed = (rows + largest - 1) / largest;
    count_ = (needed + multiple - 1) / multiple * multiple;
  }

  [[nodiscard]] std::int64_t count() const { return count_; }
  [[nodiscard]] std::int64_t begin(std::int64_t index) const {
    return std::min(rows_, tiles_ * index / count_ * kRowTile);
  }
  [[nodiscard]] std::int64_t size(std::int64_t index) const { return begin(index + 1) - begin(index); }

 private:
  std::int64_t rows_;
  std::int64_t tiles_;
  std::int64_t count_ = 0;
};

/// Panels that one product takes where its columns are used up at once: the results stay in the cache.
inline constexpr std::int64_t kPanelsAtOnce = 8;

/// Calls body(piece) for consecutive pieces of at most kPanelsAtOnce panels.
template <typename Body>
void for_pieces(PanelRange panels, Body body) {
  const std::int64_t count = (panels.size() + kPanelsAtOnce - 1) / kPanelsAtOnce;
  for (std::int64_t index = 0; index < count; ++index) {
    body(share_of(panels, index, count));
  }
}

/// Rows that one piece of a product takes at most: the results of larger blocks stay in the cache too.
inline constexpr std::int64_t kRowsAtOnce = 256;

/// Calls body(first row, rows, piece) for pieces of the panels, some rows at a time.
template <typename Body>
void for_rows_and_pieces(std::int64_t rows, PanelRange panels, Body body) {
  for (std::int64_t begin = 0; begin < rows; begin += kRowsAtOnce) {
    const std::int64_t count = std::min(kRowsAtOnce, rows - begin);
    for_pieces(panels, [&](PanelRange piece) { body(begin, count, piece); });
  }
}

/// The activations of one layer that its backward needs, beside the layer's input.
struct LayerActivations {
  explicit LayerActivations(ComputeDtype dtype)
      : attended(dtype), gate_up(Operand::compact(dtype)), expert_gate_up(Operand::compact(dtype)) {}
  /// For layer `layer`, whose kind decides what there is.
  void resize(const ModelConfig& config, const AttentionShape& shape, std::int64_t layer, std::int64_t rows);

  AlignedBuffer<float> q;            // [T, H, padded d] rotated queries
  AlignedBuffer<float> log_sum_exp;  // [T, H]
  Operand attended;                  // [T, H e]
  AlignedBuffer<float> x_mid;        // [T, D] the residual stream before the feed-forward block
  Operand gate_up;                   // [T, 2F] of the dense block or the shared expert
  Operand expert_gate_up;            // [T k, 2F] of each row's experts
  AlignedBuffer<float> raw;          // [T, raw_columns()] what norms inside attention read
};

/// Queries and keys before their norms, or the latents before theirs; 0 where there are no such norms.
std::int64_t raw_columns(const ModelConfig& config);

/// What a forward leaves to its backward: the input of every layer, and the activations of all layers, or with
/// checkpoints of one layer at a time, computed again from its input when the backward comes to it.
struct LayerTape {
  /// Makes room for `rows` rows; contents are undefined afterwards.
  void resize(const ModelConfig& config, const AttentionShape& shape, ComputeDtype dtype, std::int64_t rows);
  /// Whether the activations of `layer` stand in activations(layer).
  [[nodiscard]] bool holds(std::int64_t layer) const { return !checkpoints || held_layer == layer; }
  [[nodiscard]] LayerActivations& activations(std::int64_t layer) {
    return layers[checkpoints ? 0 : static_cast<std::size_t>(layer)];
  }
  [[nodiscard]] float* input(std::int64_t layer) { return inputs[static_cast<std::size_t>(layer)].data(); }

  bool checkpoints = false;
  std::int64_t held_layer = -1;              // with checkpoints: whose activations are in layers[0]
  std::vector<AlignedBuffer<float>> inputs;  // [L] of [T, D], the residual stream before each layer
  std::vector<LayerActivations> layers;      // [L], or [1] with checkpoints
  std::vector<Routes> routes;                // [L], with experts; empty ones for dense layers
};

/// The rows that the head looks at, each once, and what it said of them.
struct HeadActivations {
  explicit HeadActivations(ComputeDtype dtype) : hidden(dtype) {}

  std::vector<std::int64_t> rows;           // [U] rows of the batch, in order of first mention; one that
                                            // is scored in different ways (kept tokens, temperature) occurs for each
  std::vector<std::int64_t> row_of_target;  // [R] index into rows
  std::vector<std::int32_t> target_ids;     // [R]
  std::vector<LogitStats> stats;            // [U]
  std::vector<KeptSet> kept;                // [U], or empty
  std::vector<float> inverse_temperatures;  // [U]
  Operand hidden;                           // [U, D] after the last norm
};

/// The parts of a policy that every pass needs. One pass runs at a time.
struct Engine {
  Engine(const ModelConfig& model, const PolicyOptions& options, Weights& model_weights);

  [[nodiscard]] WorkerMemory& memory(int worker) { return workers[static_cast<std::size_t>(worker)]; }

  ModelConfig config;
  ComputeDtype dtype;
  ThreadPool& pool;
  Weights& weights;
  AttentionShape attention;
  std::optional<AttentionShape> absorbed_attention;  // where extend() attends among latents
  RopeTable rope;
  std::vector<WorkerMemory> workers;
  BlockMemory team_block;        // of the block that all threads run together
  AlignedBuffer<float> queries;  // [T, H, padded d], where no tape keeps them
  Routes routes;                 // of the latest layer, where no tape keeps them
  AlignedBuffer<float> logits;   // [128, V]
};

/// The shape of attention and of the router that a config asks for.
AttentionShape attention_shape(const ModelConfig& config);
/// The same scores among latents: all heads share one key (latent, rotary part), whose latent is the value too.
AttentionShape absorbed_attention_shape(const ModelConfig& config);
RouterShape router_shape(const ModelConfig& config);

/// Runs the layers over the rows of `plan`: keys and values go to its pages, the residual stream ends in `x` [T, D].
/// With a `tape` given, what the backward needs is kept there; with checkpoints the tape then holds the last layer.
void run_layers(Engine& engine, const RowPlan& plan, AlignedBuffer<float>& x, LayerTape* tape);

/// Computes the activations of `layer` again from its input, and its keys and values in the pages of `plan`: the bits
/// of the forward, by the same code. Nothing is done where the tape holds them.
void restore_layer(Engine& engine, const RowPlan& plan, LayerTape& tape, std::int64_t layer);

/// Makes the trials of every kind of product that a pass of this engine will ask for (tensor/linear.h, try_tiles()),
/// for threads that work alone and for teams. Where a tile's trial fails its product stays pinned to tiles of 16 rows.
std::vector<ProductProof> prove_products(const Engine& engine);

/// value[i] = w . norm(x[rows[i]]) for a value head.
void run_value_head(Engine& engine, const float* x, std::span<const std::int64_t> rows, std::span<float> values);

/// Receives the raw logits [V] of head row `index`; called from the pool's threads.
using HeadVisitor = std::function<void(std::int64_t index, int worker, std::span<float> logits)>;

/// Logits of `rows` of `x` [T, D], 128 rows at a time. `hidden`, where given, keeps the normed rows.
void run_head(Engine& engine, const float* x, std::span<const std::int64_t> rows, Operand* hidden,
              const HeadVisitor& visit);

}  // namespace plumb
