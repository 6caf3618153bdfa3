// The layers of a Llama, forward. A layer is two stages with one barrier in between: keys and values of all rows must
// stand before any row attends. Everything else touches one row at a time, so a block of rows runs through the rest of
// a layer, and into the next one, without waiting for others. A backward that finds no activations (checkpoints) runs
// the same two stages of one layer again.

#include <algorithm>

#include "core/trace.h"
#include "policy/engine.h"
#include "tensor/rms_norm.h"
#include "tensor/swiglu.h"

namespace plumb {
namespace {

constexpr std::int64_t kLargestBlock = 128;

class LayerPass {
 public:
  /// `x` may be null where a tape is given and the last layer is not run to its end.
  LayerPass(Engine& engine, const RowPlan& plan, AlignedBuffer<float>* x, LayerTape* tape)
      : engine_(engine), config_(engine.config), plan_(plan), x_(x), tape_(tape) {}

  void run();
  void restore(std::int64_t layer);

 private:
  using Stage = void (LayerPass::*)(std::int64_t stage, const RowBlock& block);

  void run_stages(Stage body, std::int64_t count);
  void run_together(Stage body, std::int64_t count);
  void run_blocks(Stage body, std::int64_t count);
  void run_stage(std::int64_t stage, const RowBlock& block);
  void restore_stage(std::int64_t stage, const RowBlock& block);
  void embed(const RowBlock& block);
  void norm(const float* x, std::int64_t weight, const RowBlock& block);
  void keys_and_values(std::int64_t layer, const RowBlock& block);
  void split_row(std::int64_t layer, std::int64_t row, float* qkv);
  void attend(std::int64_t layer, const RowBlock& block);
  void attend_rows(std::int64_t layer, const RowBlock& block);
  void feed_forward(std::int64_t layer, const RowBlock& block);
  void activate(std::int64_t layer, const RowBlock& block);
  void add_product(const PackedMatrix& matrix, const Operand& operand, const RowBlock& block, const float* before,
                   float* after);

  // Where the activations of `layer` go; null: nobody wants them.
  [[nodiscard]] LayerActivations* kept(std::int64_t layer) const {
    return tape_ != nullptr && tape_->holds(layer) ? &tape_->activations(layer) : nullptr;
  }
  // The residual stream before layer `layer`, in the middle of it, and q: kept apart for the backward, else in the
  // place of what comes next.
  [[nodiscard]] float* x_in(std::int64_t layer) const {
    return tape_ == nullptr || layer == config_.num_layers ? x_->data() : tape_->input(layer);
  }
  [[nodiscard]] float* x_mid(std::int64_t layer) const {
    return kept(layer) != nullptr ? kept(layer)->x_mid.data() : x_in(layer + 1);
  }
  [[nodiscard]] float* q(std::int64_t layer) const {
    return kept(layer) != nullptr ? kept(layer)->q.data() : engine_.queries.data();
  }
  [[nodiscard]] std::int64_t q_floats() const { return config_.num_heads * engine_.attention.padded_dim(); }
  [[nodiscard]] std::int64_t page_offset(std::int64_t layer) const {
    return layer % plan_.layers_kept * engine_.attention.layer_floats();
  }

  Engine& engine_;
  const ModelConfig& config_;
  const RowPlan& plan_;
  AlignedBuffer<float>* x_;
  LayerTape* tape_;
  std::int64_t restored_ = 0;  // the layer of restore()
};

void LayerPass::run() {
  const std::int64_t rows = plan_.num_rows();
  x_->resize(padded_rows(rows) * config_.hidden_size);
  if (tape_ == nullptr || tape_->checkpoints) {
    engine_.queries.resize(rows * q_floats());
  }
  if (tape_ != nullptr) {
    tape_->held_layer = config_.num_layers - 1;
  }
  run_stages(&LayerPass::run_stage, config_.num_layers + 1);
}

void LayerPass::restore(std::int64_t layer) {
  restored_ = layer;
  tape_->held_layer = layer;
  run_stages(&LayerPass::restore_stage, 2);
}

void LayerPass::run_stages(Stage body, std::int64_t count) {
  const int threads = engine_.pool.num_threads();
  if (threads > 1 && plan_.num_rows() < kLargestBlock * threads) {
    run_together(body, count);
  } else {
    run_blocks(body, count);
  }
}

void LayerPass::run_together(Stage body, std::int64_t count) {
  const std::int64_t rows = plan_.num_rows();
  const int threads = engine_.pool.num_threads();
  engine_.team_block.resize(config_, rows);
  Team team(threads);
  // As many tasks as threads, and none ends before all have begun: each thread has one.
  engine_.pool.parallel_for(threads, [&](std::int64_t member, int worker) {
    const RowBlock block = {.begin = 0,
                            .end = rows,
                            .worker = worker,
                            .memory = &engine_.team_block,
                            .team = &team,
                            .member = static_cast<int>(member)};
    for (std::int64_t stage = 0; stage < count; ++stage) {
      (this->*body)(stage, block);
      block.meet();
    }
  });
}

void LayerPass::run_blocks(Stage body, std::int64_t count) {
  const RowBlocks blocks(plan_.num_rows(), kLargestBlock, engine_.pool.num_threads());
  for (std::int64_t stage = 0; stage < count; ++stage) {
    engine_.pool.parallel_for(blocks.count(), [&](std::int64_t index, int worker) {
      BlockMemory& memory = engine_.memory(worker).block;
      memory.resize(config_, blocks.size(index));
      (this->*body)(
          stage, {.begin = blocks.begin(index), .end = blocks.begin(index + 1), .worker = worker, .memory = &memory});
    });
  }
}

// Stage s finishes layer s - 1 and computes the keys and values of layer s.
void LayerPass::run_stage(std::int64_t stage, const RowBlock& block) {
  if (stage == 0) {
    embed(block);
  } else {
    attend(stage - 1, block);
    feed_forward(stage - 1, block);
  }
  if (stage < config_.num_layers) {
    keys_and_values(stage, block);
  }
}

// The two stages of one layer, without the down product, whose result is the next layer's input.
void LayerPass::restore_stage(std::int64_t stage, const RowBlock& block) {
  if (stage == 0) {
    keys_and_values(restored_, block);
    return;
  }
  attend(restored_, block);
  norm(x_mid(restored_), engine_.weights.layer(restored_).post_norm, block);
  activate(restored_, block);
}

void LayerPass::embed(const RowBlock& block) {
  const TraceSpan span("embedding");
  const std::int64_t d = config_.hidden_size;
  for (std::int64_t row = block.first_row(); row < block.last_row(); ++row) {
    const float* from =
        engine_.weights.value(engine_.weights.embedding()) + plan_.token_ids[static_cast<std::size_t>(row)] * d;
    std::copy(from, from + d, x_in(0) + row * d);
  }
}

// The block's normed rows, for all members.
void LayerPass::norm(const float* x, std::int64_t weight, const RowBlock& block) {
  const TraceSpan span("rms_norm");
  const std::int64_t d = config_.hidden_size;
  AlignedBuffer<float>& normed = engine_.memory(block.worker).row;
  normed.resize(d);
  for (std::int64_t row = block.first_row(); row < block.last_row(); ++row) {
    rms_norm(x + row * d, engine_.weights.value(weight), d, config_.rms_norm_eps, normed.data());
    block.memory->normed.store_row(row - block.begin, normed.data());
  }
  block.meet();
}

// after = before + operand W^T for the block's rows, for all members.
void LayerPass::add_product(const PackedMatrix& matrix, const Operand& operand, const RowBlock& block,
                            const float* before, float* after) {
  const std::int64_t d = config_.hidden_size;
  WorkerMemory& memory = engine_.memory(block.worker);
  for_pieces(block.panels(matrix), [&](PanelRange piece) {
    const std::int64_t columns = matrix.width(piece);
    const std::int64_t first = matrix.panel_begin(piece.begin);
    memory.tile.resize(padded_rows(block.size()) * columns);
    matrix.multiply(piece, operand.row(0), block.size(), {.y = memory.tile.data(), .row_stride = columns},
                    memory.product);
    for (std::int64_t row = block.begin; row < block.end; ++row) {
      const float* in = before + row * d + first;
      const float* added = memory.tile.data() + (row - block.begin) * columns;
      float* out = after + row * d + first;
      for (std::int64_t i = 0; i < columns; ++i) {
        out[i] = in[i] + added[i];
      }
    }
  });
  block.meet();
}

void LayerPass::keys_and_values(std::int64_t layer, const RowBlock& block) {
  norm(x_in(layer), engine_.weights.layer(layer).input_norm, block);
  const PackedMatrix& matrix = engine_.weights.packed(layer).qkv.forward;
  const PanelRange panels = block.panels(matrix);
  float* qkv = block.memory->qkv.data();
  {
    const TraceSpan span("qkv product");
    matrix.multiply(panels, block.memory->normed.row(0), block.size(),
                    {.y = qkv + matrix.panel_begin(panels.begin), .row_stride = matrix.columns()},
                    engine_.memory(block.worker).product);
    block.meet();
  }
  const TraceSpan span("rope, store keys and values");
  for (std::int64_t row = block.first_row(); row < block.last_row(); ++row) {
    split_row(layer, row, qkv + (row - block.begin) * matrix.columns());
  }
}

void LayerPass::split_row(std::int64_t layer, std::int64_t row, float* qkv) {
  const AttentionShape& shape = engine_.attention;
  const auto at = static_cast<std::size_t>(row);
  const std::int64_t position = plan_.positions[at];
  engine_.rope.rotate(qkv, shape.num_heads + shape.num_kv_heads, position);
  for (std::int64_t head = 0; head < shape.num_heads; ++head) {
    float* to = q(layer) + row * q_floats() + head * shape.padded_dim();
    std::copy(qkv + head * shape.head_dim, qkv + (head + 1) * shape.head_dim, to);
    std::fill(to + shape.head_dim, to + shape.padded_dim(), 0.0F);
  }
  const float* key = qkv + shape.num_heads * shape.head_dim;
  const float* value = key + shape.num_kv_heads * shape.head_dim;
  for (std::int64_t i = plan_.slot_begin[at]; i < plan_.slot_begin[at + 1]; ++i) {
    const PageSlot& place = plan_.slots[static_cast<std::size_t>(i)];
    write_page_slot(shape, place.page + page_offset(layer), place.slot, key, value);
  }
}

void LayerPass::attend(std::int64_t layer, const RowBlock& block) {
  attend_rows(layer, block);
  const TraceSpan span("o product");
  add_product(engine_.weights.packed(layer).o.forward, block.memory->attended, block, x_in(layer), x_mid(layer));
}

void LayerPass::attend_rows(std::int64_t layer, const RowBlock& block) {
  const TraceSpan span("attention");
  const AttentionShape& shape = engine_.attention;
  WorkerMemory& memory = engine_.memory(block.worker);
  memory.row.resize(shape.num_heads * shape.head_dim);
  LayerActivations* kept_layer = kept(layer);
  for (std::int64_t row = block.first_row(); row < block.last_row(); ++row) {
    const auto at = static_cast<std::size_t>(row);
    float* log_sum_exp = kept_layer == nullptr ? nullptr : kept_layer->log_sum_exp.data() + row * shape.num_heads;
    attention_row(shape, q(layer) + row * q_floats(),
                  {.pages = plan_.pages[at], .layer_offset = page_offset(layer), .num_keys = plan_.positions[at] + 1},
                  memory.row.data(), log_sum_exp, memory.scores);
    block.memory->attended.store_row(row - block.begin, memory.row.data());
    if (kept_layer != nullptr) {
      kept_layer->attended.store_row(row, memory.row.data());
    }
  }
  block.meet();
}

void LayerPass::feed_forward(std::int64_t layer, const RowBlock& block) {
  norm(x_mid(layer), engine_.weights.layer(layer).post_norm, block);
  activate(layer, block);
  const TraceSpan span("down product");
  add_product(engine_.weights.packed(layer).down.forward, block.memory->activated, block, x_mid(layer),
              x_in(layer + 1));
}

// The block's activated rows, for all members: the same columns of the gate and of what it gates, piece by piece.
void LayerPass::activate(std::int64_t layer, const RowBlock& block) {
  const TraceSpan span("gate and up products, swiglu");
  const PackedLayer& packed = engine_.weights.packed(layer);
  LayerActivations* kept_layer = kept(layer);
  const void* normed = block.memory->normed.row(0);
  WorkerMemory& memory = engine_.memory(block.worker);
  for_pieces(block.panels(packed.gate), [&](PanelRange piece) {
    const std::int64_t columns = packed.gate.width(piece);
    const std::int64_t first = packed.gate.panel_begin(piece.begin);
    memory.tile.resize(padded_rows(block.size()) * columns);
    memory.other_tile.resize(padded_rows(block.size()) * columns);
    packed.gate.multiply(piece, normed, block.size(), {.y = memory.tile.data(), .row_stride = columns}, memory.product);
    packed.up.multiply(piece, normed, block.size(), {.y = memory.other_tile.data(), .row_stride = columns},
                       memory.product);
    for (std::int64_t row = block.begin; row < block.end; ++row) {
      float* gate = memory.tile.data() + (row - block.begin) * columns;
      const float* up = memory.other_tile.data() + (row - block.begin) * columns;
      if (kept_layer != nullptr) {
        kept_layer->gate_up.store(row, first, columns, gate);
        kept_layer->gate_up.store(row, config_.intermediate_size + first, columns, up);
      }
      swiglu(gate, up, columns, gate);
      block.memory->activated.store(row - block.begin, first, columns, gate);
    }
  });
  block.meet();
}

}  // namespace

void run_layers(Engine& engine, const RowPlan& plan, AlignedBuffer<float>& x, LayerTape* tape) {
  LayerPass(engine, plan, &x, tape).run();
}

void restore_layer(Engine& engine, const RowPlan& plan, LayerTape& tape, std::int64_t layer) {
  if (!tape.holds(layer)) {
    LayerPass(engine, plan, nullptr, &tape).restore(layer);
  }
}

}  // namespace plumb
