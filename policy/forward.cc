// The layers of a Llama, forward. A layer is two stages with one barrier in between: keys and values of all rows must
// stand before any row attends. Everything else touches one row at a time, so a block of rows runs through the rest of
// a layer, and into the next one, without waiting for others.

#include <algorithm>

#include "policy/engine.h"
#include "tensor/rms_norm.h"
#include "tensor/swiglu.h"

namespace plumb {
namespace {

constexpr std::int64_t kLargestBlock = 128;

class LayerPass {
 public:
  LayerPass(Engine& engine, const RowPlan& plan, AlignedBuffer<float>& x, std::vector<LayerActivations>* layers)
      : engine_(engine), config_(engine.config), plan_(plan), x_(x), layers_(layers) {}

  void run();

 private:
  void run_block(std::int64_t stage, const RowBlock& block);
  void embed(const RowBlock& block);
  void keys_and_values(std::int64_t layer, const RowBlock& block);
  void split_row(std::int64_t layer, std::int64_t row, float* qkv);
  void attend(std::int64_t layer, const RowBlock& block);
  void feed_forward(std::int64_t layer, const RowBlock& block);

  [[nodiscard]] LayerActivations* kept(std::int64_t layer) const {
    return layers_ == nullptr ? nullptr : &(*layers_)[static_cast<std::size_t>(layer)];
  }
  // The residual stream before layer `layer`, in the middle of it, and q: kept apart for the backward, else in place.
  [[nodiscard]] float* x_in(std::int64_t layer) const {
    return layers_ == nullptr || layer == config_.num_layers ? x_.data() : kept(layer)->x_in.data();
  }
  [[nodiscard]] float* x_mid(std::int64_t layer) const {
    return layers_ == nullptr ? x_.data() : kept(layer)->x_mid.data();
  }
  [[nodiscard]] float* q(std::int64_t layer) const { return layers_ == nullptr ? q_.data() : kept(layer)->q.data(); }
  [[nodiscard]] std::int64_t q_floats() const { return config_.num_heads * engine_.attention.padded_dim(); }
  [[nodiscard]] std::int64_t page_offset(std::int64_t layer) const {
    return layer % plan_.layers_kept * engine_.attention.layer_floats();
  }

  Engine& engine_;
  const ModelConfig& config_;
  const RowPlan& plan_;
  AlignedBuffer<float>& x_;
  std::vector<LayerActivations>* layers_;
  AlignedBuffer<float>& q_ = engine_.queries;
};

void LayerPass::run() {
  const std::int64_t rows = plan_.num_rows();
  x_.resize(padded_rows(rows) * config_.hidden_size);
  if (layers_ == nullptr) {
    q_.resize(rows * q_floats());
  }
  const int threads = engine_.pool.num_threads();
  if (rows < kRowTile * threads) {
    for (std::int64_t stage = 0; stage <= config_.num_layers; ++stage) {
      run_block(stage, {.begin = 0, .end = rows, .worker = 0, .pool = &engine_.pool});
    }
    return;
  }
  const std::int64_t block_rows = std::min(kLargestBlock, padded_rows((rows + threads - 1) / threads));
  const std::int64_t num_blocks = (rows + block_rows - 1) / block_rows;
  for (std::int64_t stage = 0; stage <= config_.num_layers; ++stage) {
    engine_.pool.parallel_for(num_blocks, [&](std::int64_t index, int worker) {
      const std::int64_t begin = index * block_rows;
      run_block(stage, {.begin = begin, .end = std::min(rows, begin + block_rows), .worker = worker, .pool = nullptr});
    });
  }
}

// Stage s finishes layer s - 1 and computes the keys and values of layer s.
void LayerPass::run_block(std::int64_t stage, const RowBlock& block) {
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

void LayerPass::embed(const RowBlock& block) {
  const std::int64_t d = config_.hidden_size;
  for (std::int64_t row = block.begin; row < block.end; ++row) {
    const float* from =
        engine_.weights.value(engine_.weights.embedding()) + plan_.token_ids[static_cast<std::size_t>(row)] * d;
    std::copy(from, from + d, x_in(0) + row * d);
  }
}

void LayerPass::keys_and_values(std::int64_t layer, const RowBlock& block) {
  const std::int64_t d = config_.hidden_size;
  const LayerOffsets& offsets = engine_.weights.layer(layer);
  WorkerScratch& scratch = engine_.worker_scratch(block.worker);
  scratch.operand.resize(block.size(), d);
  engine_.for_rows(block, [&](std::int64_t row, int worker) {
    AlignedBuffer<float>& normed = engine_.worker_scratch(worker).attention;
    normed.resize(d);
    rms_norm(x_in(layer) + row * d, engine_.weights.value(offsets.input_norm), d, config_.rms_norm_eps, normed.data());
    scratch.operand.store_row(row - block.begin, normed.data());
  });
  const PackedMatrix& qkv = engine_.weights.packed(layer).qkv.forward;
  scratch.rows.resize(padded_rows(block.size()) * qkv.columns());
  engine_.multiply(qkv, scratch.operand, block, scratch.rows.data());
  engine_.for_rows(block, [&](std::int64_t row, int) {
    split_row(layer, row, scratch.rows.data() + (row - block.begin) * qkv.columns());
  });
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
  const AttentionShape& shape = engine_.attention;
  const std::int64_t d = config_.hidden_size;
  const std::int64_t width = shape.num_heads * shape.head_dim;
  WorkerScratch& scratch = engine_.worker_scratch(block.worker);
  scratch.operand.resize(block.size(), width);
  scratch.more_rows.resize(block.size() * width);
  LayerActivations* kept_layer = kept(layer);
  engine_.for_rows(block, [&](std::int64_t row, int worker) {
    const auto at = static_cast<std::size_t>(row);
    float* out = scratch.more_rows.data() + (row - block.begin) * width;
    float* log_sum_exp = kept_layer == nullptr ? nullptr : kept_layer->log_sum_exp.data() + row * shape.num_heads;
    attention_row(shape, q(layer) + row * q_floats(),
                  {.pages = plan_.pages[at], .layer_offset = page_offset(layer), .num_keys = plan_.positions[at] + 1},
                  out, log_sum_exp, engine_.worker_scratch(worker).attention);
    scratch.operand.store_row(row - block.begin, out);
    if (kept_layer != nullptr) {
      kept_layer->attended.store_row(row, out);
    }
  });
  scratch.rows.resize(padded_rows(block.size()) * d);
  engine_.multiply(engine_.weights.packed(layer).o.forward, scratch.operand, block, scratch.rows.data());
  for (std::int64_t row = block.begin; row < block.end; ++row) {
    const float* in = x_in(layer) + row * d;
    const float* added = scratch.rows.data() + (row - block.begin) * d;
    float* out = x_mid(layer) + row * d;
    for (std::int64_t i = 0; i < d; ++i) {
      out[i] = in[i] + added[i];
    }
  }
}

void LayerPass::feed_forward(std::int64_t layer, const RowBlock& block) {
  const std::int64_t d = config_.hidden_size;
  const std::int64_t f = config_.intermediate_size;
  const LayerOffsets& offsets = engine_.weights.layer(layer);
  const PackedLayer& packed = engine_.weights.packed(layer);
  WorkerScratch& scratch = engine_.worker_scratch(block.worker);
  scratch.operand.resize(block.size(), d);
  engine_.for_rows(block, [&](std::int64_t row, int worker) {
    AlignedBuffer<float>& normed = engine_.worker_scratch(worker).attention;
    normed.resize(d);
    rms_norm(x_mid(layer) + row * d, engine_.weights.value(offsets.post_norm), d, config_.rms_norm_eps, normed.data());
    scratch.operand.store_row(row - block.begin, normed.data());
  });
  scratch.rows.resize(padded_rows(block.size()) * 2 * f);
  engine_.multiply(packed.gate_up.forward, scratch.operand, block, scratch.rows.data());
  scratch.wide_operand.resize(block.size(), f);
  engine_.for_rows(block, [&](std::int64_t row, int) {
    float* gate = scratch.rows.data() + (row - block.begin) * 2 * f;
    if (layers_ != nullptr) {
      kept(layer)->gate_up.store_row(row, gate);
    }
    swiglu(gate, gate + f, f, gate);
    scratch.wide_operand.store_row(row - block.begin, gate);
  });
  scratch.more_rows.resize(padded_rows(block.size()) * d);
  engine_.multiply(packed.down.forward, scratch.wide_operand, block, scratch.more_rows.data());
  for (std::int64_t row = block.begin; row < block.end; ++row) {
    const float* in = x_mid(layer) + row * d;
    const float* added = scratch.more_rows.data() + (row - block.begin) * d;
    float* out = x_in(layer + 1) + row * d;
    for (std::int64_t i = 0; i < d; ++i) {
      out[i] = in[i] + added[i];
    }
  }
}

}  // namespace

void run_layers(Engine& engine, const RowPlan& plan, AlignedBuffer<float>& x, std::vector<LayerActivations>* layers) {
  LayerPass(engine, plan, x, layers).run();
}

}  // namespace plumb
