// The layers of a Llama, backward. Each layer is three rounds of tasks with a barrier after each: the feed-forward
// block and the o product by blocks of rows; attention by trees of segments; the qkv product by blocks of rows
// again. Weight gradients need all rows of a round, so they run as tasks of the next one.

#include "policy/backward.h"

#include <algorithm>
#include <functional>

#include "core/trace.h"
#include "tensor/embedding.h"
#include "tensor/lanes.h"
#include "tensor/rms_norm.h"
#include "tensor/swiglu.h"

namespace plumb {
namespace {

constexpr std::int64_t kBlockRows = 64;
constexpr std::int64_t kBlockMultiple = 4;  // threads that end together

// Which of a layer's two norms a row-block's partial sums belong to.
enum class NormPart { kInput = 0, kPost = 1 };

class LayerBackward {
 public:
  LayerBackward(Engine& engine, const ForwardState& forward, BackwardBuffers& buffers)
      : engine_(engine),
        config_(engine.config),
        forward_(forward),
        b_(buffers),
        rows_(forward.plan.num_rows()),
        blocks_(rows_, kBlockRows, kBlockMultiple) {}

  void run();

 private:
  using Task = std::function<void(int worker)>;

  void reserve();
  void run_tasks();
  void add_weight_tasks(const Operand& dy, const Operand& x, std::int64_t offset);
  void feed_forward(std::int64_t layer, std::int64_t block, int worker);
  void activation_gradient(std::int64_t layer, std::int64_t begin, std::int64_t count, int worker);
  void output_gradient(std::int64_t layer, std::int64_t begin, std::int64_t count, int worker);
  void inputs_of_attention(std::int64_t layer, std::int64_t block, int worker);
  void qkv_row(std::int64_t row, float* d_qkv);
  void norm_gradient(std::int64_t row, float* part, const float* x, std::int64_t weight, const float* dy);
  void add_norm_parts(std::int64_t layer);

  [[nodiscard]] const LayerActivations& kept(std::int64_t layer) const { return forward_.tape.activations(layer); }
  [[nodiscard]] ProductScratch& scratch(int worker) { return engine_.memory(worker).product; }
  // y [padded rows, columns] = x B.
  void multiply(const PackedMatrix& matrix, const void* x, std::int64_t rows, float* y, int worker) {
    matrix.multiply(matrix.all_panels(), x, rows, {.y = y, .row_stride = matrix.columns()}, scratch(worker));
  }
  [[nodiscard]] float* worker_rows(int worker, std::int64_t columns) {
    AlignedBuffer<float>& rows = b_.worker_rows[static_cast<std::size_t>(worker)];
    rows.resize(kBlockRows * columns);
    return rows.data();
  }
  [[nodiscard]] float* norm_part(std::int64_t block, NormPart part) {
    return b_.norm_parts.data() + (block * 2 + static_cast<std::int64_t>(part)) * config_.hidden_size;
  }

  Engine& engine_;
  const ModelConfig& config_;
  const ForwardState& forward_;
  BackwardBuffers& b_;
  std::int64_t rows_;
  RowBlocks blocks_;
  std::vector<Task> tasks_;
};

void LayerBackward::reserve() {
  const AttentionShape& shape = engine_.attention;
  const std::int64_t d = config_.hidden_size;
  const std::int64_t padded_width = shape.num_heads * shape.padded_dim();
  const std::int64_t kv_width = shape.num_kv_heads * shape.head_dim;
  b_.d_out.resize(rows_, d);
  b_.activated.resize(rows_, config_.intermediate_size);
  b_.d_gate_up.resize(rows_, 2 * config_.intermediate_size);
  b_.normed_mid.resize(rows_, d);
  b_.d_mid.resize(rows_, d);
  b_.d_attended.resize(rows_ * padded_width);
  b_.delta.resize(rows_ * shape.num_heads);
  b_.d_q.resize(rows_ * padded_width);
  b_.d_k.resize(rows_ * kv_width);
  b_.d_v.resize(rows_ * kv_width);
  b_.d_qkv.resize(rows_, shape.num_heads * shape.head_dim + 2 * kv_width);
  b_.normed_in.resize(rows_, d);
  b_.norm_parts.resize(blocks_.count() * 2 * d);
}

void LayerBackward::run_tasks() {
  engine_.pool.parallel_for(static_cast<std::int64_t>(tasks_.size()),
                            [&](std::int64_t index, int worker) { tasks_[static_cast<std::size_t>(index)](worker); });
  tasks_.clear();
}

void LayerBackward::add_weight_tasks(const Operand& dy, const Operand& x, std::int64_t offset) {
  for (std::int64_t begin = 0; begin < dy.columns(); begin += kGradientPanel) {
    const std::int64_t end = std::min(dy.columns(), begin + kGradientPanel);
    tasks_.emplace_back([this, &dy, &x, offset, begin, end](int worker) {
      const TraceSpan span("weight gradient");
      accumulate_weight_gradient(dy, x, begin, end, engine_.weights.gradient(offset), scratch(worker));
    });
  }
}

void LayerBackward::run() {
  reserve();
  for (std::int64_t layer = config_.num_layers - 1; layer >= 0; --layer) {
    const LayerOffsets& offsets = engine_.weights.layer(layer);
    restore_layer(engine_, forward_.plan, forward_.tape, layer);
    b_.norm_parts.fill_zero();
    for (std::int64_t block = 0; block < blocks_.count(); ++block) {
      tasks_.emplace_back([this, layer, block](int worker) {
        feed_forward(layer, block, worker);
        output_gradient(layer, blocks_.begin(block), blocks_.size(block), worker);
      });
    }
    run_tasks();
    // Long tasks first, so that threads end together.
    add_weight_tasks(b_.d_out, b_.activated, offsets.down);
    add_weight_tasks(b_.d_gate_up, b_.normed_mid, offsets.gate_up);
    add_weight_tasks(b_.d_mid, kept(layer).attended, offsets.o);
    for (std::int64_t index = 0; index < num_attention_tasks(engine_, forward_); ++index) {
      tasks_.emplace_back([this, layer, index](int worker) {
        const TraceSpan span("attention backward");
        run_attention_task(engine_, forward_, layer, index, worker, b_);
      });
    }
    run_tasks();
    for (std::int64_t block = 0; block < blocks_.count(); ++block) {
      tasks_.emplace_back([this, layer, block](int worker) { inputs_of_attention(layer, block, worker); });
    }
    run_tasks();
    add_norm_parts(layer);
    add_weight_tasks(b_.d_qkv, b_.normed_in, offsets.qkv);
  }
  run_tasks();
}

// The first round of a layer for one block of rows: through the feed-forward block to d_mid.
void LayerBackward::feed_forward(std::int64_t layer, std::int64_t block, int worker) {
  const std::int64_t d = config_.hidden_size;
  const std::int64_t begin = blocks_.begin(block);
  const std::int64_t count = blocks_.size(block);
  const LayerOffsets& offsets = engine_.weights.layer(layer);
  for (std::int64_t row = begin; row < begin + count; ++row) {
    b_.d_out.store_row(row, b_.d_x.data() + row * d);
  }
  activation_gradient(layer, begin, count, worker);
  const TraceSpan span("gate and up backward, norm");
  float* d_normed = worker_rows(worker, d);
  multiply(*engine_.weights.packed(layer).gate_up_backward, b_.d_gate_up.row(begin), count, d_normed, worker);
  AlignedBuffer<float>& normed = engine_.memory(worker).row;
  normed.resize(d);
  for (std::int64_t row = begin; row < begin + count; ++row) {
    const float* x = kept(layer).x_mid.data() + row * d;
    rms_norm(x, engine_.weights.value(offsets.post_norm), d, config_.rms_norm_eps, normed.data());
    b_.normed_mid.store_row(row, normed.data());
    norm_gradient(row, norm_part(block, NormPart::kPost), x, offsets.post_norm, d_normed + (row - begin) * d);
    b_.d_mid.store_row(row, b_.d_x.data() + row * d);
  }
}

// d_gate_up and the activated values again, for rows [begin, begin + count), some columns at a time.
void LayerBackward::activation_gradient(std::int64_t layer, std::int64_t begin, std::int64_t count, int worker) {
  const TraceSpan span("down backward, swiglu backward");
  const std::int64_t f = config_.intermediate_size;
  const PackedMatrix& matrix = *engine_.weights.packed(layer).down.backward;
  AlignedBuffer<float>& row_memory = b_.worker_more_rows[static_cast<std::size_t>(worker)];
  for_pieces(matrix.all_panels(), [&](PanelRange piece) {
    const std::int64_t first = matrix.panel_begin(piece.begin);
    const std::int64_t columns = matrix.width(piece);
    float* d_activated = worker_rows(worker, columns);
    matrix.multiply(piece, b_.d_out.row(begin), count, {.y = d_activated, .row_stride = columns}, scratch(worker));
    row_memory.resize(4 * columns);
    float* gate = row_memory.data();
    float* up = gate + columns;
    float* d_gate = up + columns;
    float* d_up = d_gate + columns;
    for (std::int64_t row = begin; row < begin + count; ++row) {
      kept(layer).gate_up.load(row, first, columns, gate);
      kept(layer).gate_up.load(row, f + first, columns, up);
      swiglu_backward(gate, up, d_activated + (row - begin) * columns, columns, d_gate, d_up);
      b_.d_gate_up.store(row, first, columns, d_gate);
      b_.d_gate_up.store(row, f + first, columns, d_up);
      swiglu(gate, up, columns, gate);
      b_.activated.store(row, first, columns, gate);
    }
  });
}

// d_attended and delta, for rows [begin, begin + count); d_q, d_k and d_v start at 0.
void LayerBackward::output_gradient(std::int64_t layer, std::int64_t begin, std::int64_t count, int worker) {
  const AttentionShape& shape = engine_.attention;
  const std::int64_t width = shape.num_heads * shape.head_dim;
  const std::int64_t padded_width = shape.num_heads * shape.padded_dim();
  const std::int64_t kv_width = shape.num_kv_heads * shape.head_dim;
  const TraceSpan span("o backward");
  float* d_attended = worker_rows(worker, width);
  multiply(*engine_.weights.packed(layer).o.backward, b_.d_mid.row(begin), count, d_attended, worker);
  AlignedBuffer<float>& attended = b_.worker_more_rows[static_cast<std::size_t>(worker)];
  attended.resize(width);
  for (std::int64_t row = begin; row < begin + count; ++row) {
    kept(layer).attended.load(row, 0, width, attended.data());
    for (std::int64_t head = 0; head < shape.num_heads; ++head) {
      const float* from = d_attended + (row - begin) * width + head * shape.head_dim;
      float* to = b_.d_attended.data() + row * padded_width + head * shape.padded_dim();
      std::copy(from, from + shape.head_dim, to);
      std::fill(to + shape.head_dim, to + shape.padded_dim(), 0.0F);
      b_.delta.data()[row * shape.num_heads + head] =
          dot(from, attended.data() + head * shape.head_dim, shape.head_dim);
    }
    std::fill_n(b_.d_q.data() + row * padded_width, padded_width, 0.0F);
    std::fill_n(b_.d_k.data() + row * kv_width, kv_width, 0.0F);
    std::fill_n(b_.d_v.data() + row * kv_width, kv_width, 0.0F);
  }
}

// The last round of a layer for one block of rows: from d_q, d_k and d_v through the qkv product to d_x.
void LayerBackward::inputs_of_attention(std::int64_t layer, std::int64_t block, int worker) {
  const std::int64_t d = config_.hidden_size;
  const std::int64_t begin = blocks_.begin(block);
  const std::int64_t count = blocks_.size(block);
  const LayerOffsets& offsets = engine_.weights.layer(layer);
  const TraceSpan span("qkv backward, rope, norm");
  AlignedBuffer<float>& row_memory = engine_.memory(worker).row;
  row_memory.resize(std::max(d, b_.d_qkv.columns()));
  for (std::int64_t row = begin; row < begin + count; ++row) {
    qkv_row(row, row_memory.data());
    b_.d_qkv.store_row(row, row_memory.data());
  }
  float* d_normed = worker_rows(worker, d);
  multiply(*engine_.weights.packed(layer).qkv.backward, b_.d_qkv.row(begin), count, d_normed, worker);
  for (std::int64_t row = begin; row < begin + count; ++row) {
    const float* x = forward_.tape.input(layer) + row * d;
    rms_norm(x, engine_.weights.value(offsets.input_norm), d, config_.rms_norm_eps, row_memory.data());
    b_.normed_in.store_row(row, row_memory.data());
    norm_gradient(row, norm_part(block, NormPart::kInput), x, offsets.input_norm, d_normed + (row - begin) * d);
  }
}

void LayerBackward::qkv_row(std::int64_t row, float* d_qkv) {
  const AttentionShape& shape = engine_.attention;
  const std::int64_t kv_width = shape.num_kv_heads * shape.head_dim;
  for (std::int64_t head = 0; head < shape.num_heads; ++head) {
    const float* from = b_.d_q.data() + (row * shape.num_heads + head) * shape.padded_dim();
    std::copy(from, from + shape.head_dim, d_qkv + head * shape.head_dim);
  }
  float* d_k = d_qkv + shape.num_heads * shape.head_dim;
  std::copy_n(b_.d_k.data() + row * kv_width, kv_width, d_k);
  std::copy_n(b_.d_v.data() + row * kv_width, kv_width, d_k + kv_width);
  engine_.rope.rotate_back(d_qkv, shape.num_heads + shape.num_kv_heads,
                           forward_.plan.positions[static_cast<std::size_t>(row)]);
}

void LayerBackward::norm_gradient(std::int64_t row, float* part, const float* x, std::int64_t weight, const float* dy) {
  const std::int64_t d = config_.hidden_size;
  rms_norm_backward(x, engine_.weights.value(weight), dy, d, config_.rms_norm_eps, b_.d_x.data() + row * d, part);
}

void LayerBackward::add_norm_parts(std::int64_t layer) {
  const LayerOffsets& offsets = engine_.weights.layer(layer);
  for (const NormPart part : {NormPart::kInput, NormPart::kPost}) {
    float* gradient = engine_.weights.gradient(part == NormPart::kInput ? offsets.input_norm : offsets.post_norm);
    for (std::int64_t block = 0; block < blocks_.count(); ++block) {
      const float* from = norm_part(block, part);
      for (std::int64_t i = 0; i < config_.hidden_size; ++i) {
        gradient[i] += from[i];
      }
    }
  }
}

}  // namespace

void run_backward(Engine& engine, const ForwardState& forward, std::span<const float> d_log_probs,
                  BackwardBuffers& buffers) {
  const auto threads = static_cast<std::size_t>(engine.pool.num_threads());
  buffers.worker_rows.resize(threads);
  buffers.worker_more_rows.resize(threads);
  buffers.worker_pages.resize(threads);
  run_head_backward(engine, forward, d_log_probs, buffers);
  LayerBackward(engine, forward, buffers).run();
  const TraceSpan span("embedding backward");
  embedding_backward(forward.plan.token_ids, buffers.d_x.data(), engine.config.hidden_size,
                     engine.weights.gradient(engine.weights.embedding()), engine.pool);
}

}  // namespace plumb
