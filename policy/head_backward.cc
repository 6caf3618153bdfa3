// The gradient of the head, by groups of the vocabulary: the logits of one group are computed again for all rows,
// turned into their gradient, and used up before the next group.

#include <algorithm>

#include "core/trace.h"
#include "policy/backward.h"
#include "tensor/kept_logits.h"
#include "tensor/rms_norm.h"

namespace plumb {
namespace {

constexpr std::int64_t kRowsAtOnce = 128;
constexpr std::int64_t kInputRows = 64;
static_assert(kHeadGroup % PackedMatrix::kPanelColumns == 0);

// The gradient that arrives at each head row: the sum over its targets, and the targets one by one.
struct HeadGradient {
  std::vector<float> row_sum;                                        // [U]
  std::vector<std::vector<std::pair<std::int32_t, float>>> targets;  // [U] (token, d_log_prob)
};

HeadGradient gather(const HeadActivations& head, std::span<const float> d_log_probs, float z_loss) {
  HeadGradient gradient;
  gradient.row_sum.assign(head.rows.size(), 0.0F);
  gradient.targets.resize(head.rows.size());
  for (std::size_t i = 0; i < d_log_probs.size(); ++i) {
    const auto row = static_cast<std::size_t>(head.row_of_target[i]);
    // d (log sum exp)^2 = 2 (log sum exp) softmax, where a log-prob's shared part is -softmax.
    gradient.row_sum[row] += d_log_probs[i] - 2 * z_loss * head.stats[row].log_sum_exp;
    gradient.targets[row].emplace_back(head.target_ids[i], d_log_probs[i]);
  }
  return gradient;
}

class HeadBackward {
 public:
  HeadBackward(Engine& engine, const HeadActivations& head, const HeadGradient& gradient, BackwardBuffers& buffers)
      : engine_(engine), head_(head), gradient_(gradient), buffers_(buffers) {}

  void run_group(std::size_t group);

 private:
  void piece_task(std::int64_t group_begin, PanelRange piece, int worker);
  void logits_to_gradient(std::int64_t begin, std::int64_t columns, std::int64_t row, float* logits);

  Engine& engine_;
  const HeadActivations& head_;
  const HeadGradient& gradient_;
  BackwardBuffers& buffers_;
};

void HeadBackward::logits_to_gradient(std::int64_t begin, std::int64_t columns, std::int64_t row, float* logits) {
  const auto at = static_cast<std::size_t>(row);
  if (!head_.kept.empty()) {
    mask_outside(head_.kept[at], begin, {logits, static_cast<std::size_t>(columns)});
  }
  const float inverse_temperature = head_.inverse_temperatures[at];
  softmax_backward({logits, static_cast<std::size_t>(columns)}, inverse_temperature, head_.stats[at],
                   gradient_.row_sum[at], logits);
  for (const auto& [token, d_log_prob] : gradient_.targets[at]) {
    if (token >= begin && token < begin + columns) {
      logits[token - begin] += d_log_prob * inverse_temperature;
    }
  }
}

// Some panels of the vocabulary for all rows: d_logits, and their rows of the weight gradient.
void HeadBackward::piece_task(std::int64_t group_begin, PanelRange piece, int worker) {
  const PackedMatrix& matrix = engine_.weights.head_forward();
  ProductScratch& scratch = engine_.memory(worker).product;
  const std::int64_t begin = matrix.panel_begin(piece.begin);
  const std::int64_t columns = matrix.width(piece);
  const std::int64_t rows = head_.hidden.rows();
  AlignedBuffer<float>& logits = buffers_.worker_rows[static_cast<std::size_t>(worker)];
  logits.resize(kRowsAtOnce * columns);
  for (std::int64_t row = 0; row < rows; row += kRowsAtOnce) {
    const TraceSpan span("head product again, softmax backward");
    const std::int64_t count = std::min(kRowsAtOnce, rows - row);
    matrix.multiply(piece, head_.hidden.row(row), count, {.y = logits.data(), .row_stride = columns}, scratch);
    for (std::int64_t i = 0; i < count; ++i) {
      float* row_logits = logits.data() + i * columns;
      logits_to_gradient(begin, columns, row + i, row_logits);
      buffers_.d_logits.store(row + i, begin - group_begin, columns, row_logits);
    }
  }
  const TraceSpan span("head weight gradient");
  const std::int64_t d = engine_.config.hidden_size;
  accumulate_weight_gradient(buffers_.d_logits, head_.hidden, begin - group_begin, begin - group_begin + columns,
                             engine_.weights.gradient(engine_.weights.head()) + group_begin * d, scratch);
}

void HeadBackward::run_group(std::size_t group) {
  const std::int64_t begin = static_cast<std::int64_t>(group) * kHeadGroup;
  const std::int64_t columns = std::min(kHeadGroup, engine_.config.vocab_size - begin);
  const std::int64_t rows = head_.hidden.rows();
  const std::int64_t d = engine_.config.hidden_size;
  buffers_.d_logits.resize(rows, columns);
  const PanelRange panels = {begin / PackedMatrix::kPanelColumns,
                             (begin + columns + PackedMatrix::kPanelColumns - 1) / PackedMatrix::kPanelColumns};
  const std::int64_t num_pieces = (panels.size() + kPanelsAtOnce - 1) / kPanelsAtOnce;
  engine_.pool.parallel_for(num_pieces, [&](std::int64_t index, int worker) {
    piece_task(begin, share_of(panels, index, num_pieces), worker);
  });
  const PackedMatrix& back = engine_.weights.head_backward()[group];
  const RowBlocks blocks(rows, kInputRows, engine_.pool.num_threads());
  engine_.pool.parallel_for(blocks.count(), [&](std::int64_t index, int worker) {
    const TraceSpan span("head input gradient");
    const std::int64_t row = blocks.begin(index);
    back.multiply(back.all_panels(), buffers_.d_logits.row(row), blocks.size(index),
                  {.y = buffers_.d_hidden.data() + row * d, .row_stride = d, .accumulate = group > 0},
                  engine_.memory(worker).product);
  });
}

}  // namespace

void run_head_backward(Engine& engine, const ForwardState& forward, std::span<const float> d_log_probs,
                       BackwardBuffers& buffers) {
  const HeadActivations& head = forward.head;
  const std::int64_t d = engine.config.hidden_size;
  const auto rows = static_cast<std::int64_t>(head.rows.size());
  const HeadGradient gradient = gather(head, d_log_probs, buffers.z_loss);
  buffers.d_hidden.resize(padded_rows(rows) * d);
  HeadBackward backward(engine, head, gradient, buffers);
  for (std::size_t group = 0; group < engine.weights.head_backward().size(); ++group) {
    backward.run_group(group);
  }
  buffers.d_x.resize(padded_rows(forward.plan.num_rows()) * d);
  buffers.d_x.fill_zero();
  for (std::int64_t i = 0; i < rows; ++i) {
    const std::int64_t row = head.rows[static_cast<std::size_t>(i)];
    rms_norm_backward(forward.x.data() + row * d, engine.weights.value(engine.weights.final_norm()),
                      buffers.d_hidden.data() + i * d, d, engine.config.rms_norm_eps, buffers.d_x.data() + row * d,
                      engine.weights.gradient(engine.weights.final_norm()));
  }
}

}  // namespace plumb
