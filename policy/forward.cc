#include <algorithm>

#include "core/trace.h"
#include "policy/layer_pass.h"
#include "tensor/rms_norm.h"

namespace plumb {
namespace {

constexpr std::int64_t kLargestBlock = 128;

}  // namespace

// Rows spread over experts: a block has to be larger for each expert's product to fill its tiles.
std::int64_t LayerPass::largest_block() const {
  const MixtureOfExperts& moe = config_.moe;
  return moe.num_experts == 0 ? kLargestBlock
                              : kLargestBlock * std::clamp<std::int64_t>(moe.num_experts / moe.top_k, 1, 8);
}

void LayerPass::run() {
  const std::int64_t rows = plan_.num_rows();
  x_->resize(padded_rows(rows) * config_.hidden_size);
  if (tape_ == nullptr || tape_->checkpoints) {
    engine_.queries.resize(rows * q_floats());
  }
  if (tape_ == nullptr && config_.moe.num_experts > 0) {
    engine_.routes.resize(config_, rows);
  }
  if (tape_ != nullptr) {
    tape_->held_layer = config_.num_layers - 1;
  }
  run_stages(&LayerPass::run_stage, config_.num_layers + 1);
}

void LayerPass::restore(std::int64_t layer) {
  restored_ = layer;
  tape_->held_layer = layer;
  tape_->activations(layer).resize(config_, engine_.attention, layer, plan_.num_rows());
  run_stages(&LayerPass::restore_stage, 2);
}

void LayerPass::run_stages(Stage body, std::int64_t count) {
  const int threads = engine_.pool.num_threads();
  if (threads > 1 && plan_.num_rows() < largest_block() * threads) {
    run_together(body, count);
  } else {
    run_blocks(body, count);
  }
}

void LayerPass::run_together(Stage body, std::int64_t count) {
  const std::int64_t rows = plan_.num_rows();
  const int threads = engine_.pool.num_threads();
  engine_.team_block.resize(config_, rows, plan_.absorbed);
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
  const RowBlocks blocks(plan_.num_rows(), largest_block(), engine_.pool.num_threads());
  for (std::int64_t stage = 0; stage < count; ++stage) {
    engine_.pool.parallel_for(blocks.count(), [&](std::int64_t index, int worker) {
      BlockMemory& memory = engine_.memory(worker).block;
      memory.resize(config_, blocks.size(index), plan_.absorbed);
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
  activations(restored_, block);
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

// The sum for the block's rows, for all members.
void LayerPass::add_product(const PackedMatrix& matrix, const Operand& operand, const RowBlock& block,
                            const ResidualSum& sum) {
  const std::int64_t d = config_.hidden_size;
  WorkerMemory& memory = engine_.memory(block.worker);
  for_rows_and_pieces(block.size(), block.panels(matrix),
                      [&](std::int64_t begin, std::int64_t count, PanelRange piece) {
                        const std::int64_t columns = matrix.width(piece);
                        const std::int64_t first = matrix.panel_begin(piece.begin);
                        memory.tile.resize(padded_rows(count) * columns);
                        matrix.multiply(piece, operand.row(begin), count,
                                        {.y = memory.tile.data(), .row_stride = columns}, memory.product);
                        for (std::int64_t i_row = 0; i_row < count; ++i_row) {
                          const std::int64_t row = block.begin + begin + i_row;
                          const float* in = sum.before + row * d + first;
                          float* added = memory.tile.data() + i_row * columns;
                          float* out = sum.after + row * d + first;
                          for (std::int64_t i = 0; sum.bias != nullptr && i < columns; ++i) {
                            added[i] += sum.bias[first + i];
                          }
                          for (std::int64_t i = 0; sum.row_factors != nullptr && i < columns; ++i) {
                            added[i] *= sum.row_factors[row];
                          }
                          for (std::int64_t i = 0; i < columns; ++i) {
                            out[i] = in[i] + added[i];
                          }
                        }
                      });
  block.meet();
}

void run_layers(Engine& engine, const RowPlan& plan, AlignedBuffer<float>& x, LayerTape* tape) {
  LayerPass(engine, plan, &x, tape).run();
}

void restore_layer(Engine& engine, const RowPlan& plan, LayerTape& tape, std::int64_t layer) {
  if (!tape.holds(layer)) {
    LayerPass(engine, plan, nullptr, &tape).restore(layer);
  }
}

}  // namespace plumb
