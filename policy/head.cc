// The last norm and the vocabulary: logits in row chunks, never all of them.

#include <algorithm>

#include "core/check.h"
#include "core/trace.h"
#include "policy/engine.h"
#include "tensor/lanes.h"
#include "tensor/rms_norm.h"

namespace plumb {
namespace {

constexpr std::int64_t kHeadRows = 128;

}  // namespace

void run_head(Engine& engine, const float* x, std::span<const std::int64_t> rows, Operand* hidden,
              const HeadVisitor& visit) {
  PLUMB_CHECK(!engine.config.value_head, "a model with a value head predicts no tokens");
  const std::int64_t d = engine.config.hidden_size;
  const std::int64_t v = engine.config.vocab_size;
  const auto num_rows = static_cast<std::int64_t>(rows.size());
  const PackedMatrix& matrix = engine.weights.head_forward();
  const std::int64_t num_pieces = (matrix.num_panels() + kPanelsAtOnce - 1) / kPanelsAtOnce;
  Operand& chunk = engine.team_block.normed;
  AlignedBuffer<float>& normed = engine.memory(0).row;
  normed.resize(d);
  engine.logits.resize(std::min(kHeadRows, padded_rows(num_rows)) * v);
  if (hidden != nullptr) {
    hidden->resize(num_rows, d);
  }
  for (std::int64_t begin = 0; begin < num_rows; begin += kHeadRows) {
    const std::int64_t count = std::min(kHeadRows, num_rows - begin);
    chunk.resize(count, d);
    for (std::int64_t i = 0; i < count; ++i) {
      rms_norm(x + rows[static_cast<std::size_t>(begin + i)] * d, engine.weights.value(engine.weights.final_norm()), d,
               engine.config.rms_norm_eps, normed.data());
      chunk.store_row(i, normed.data());
      if (hidden != nullptr) {
        hidden->store_row(begin + i, normed.data());
      }
    }
    engine.pool.parallel_for(num_pieces, [&](std::int64_t index, int worker) {
      const TraceSpan span("head product");
      const PanelRange piece = share_of(matrix.all_panels(), index, num_pieces);
      matrix.multiply(piece, chunk.row(0), count,
                      {.y = engine.logits.data() + matrix.panel_begin(piece.begin), .row_stride = v},
                      engine.memory(worker).product);
    });
    engine.pool.parallel_for(count, [&](std::int64_t i, int worker) {
      const TraceSpan span("log-probs or sampling");
      visit(begin + i, worker, {engine.logits.data() + i * v, static_cast<std::size_t>(v)});
    });
  }
}

void run_value_head(Engine& engine, const float* x, std::span<const std::int64_t> rows, std::span<float> values) {
  const std::int64_t d = engine.config.hidden_size;
  const Weights& weights = engine.weights;
  AlignedBuffer<float>& normed = engine.memory(0).row;
  normed.resize(d);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rms_norm(x + rows[i] * d, weights.value(weights.final_norm()), d, engine.config.rms_norm_eps, normed.data());
    values[i] = dot(normed.data(), weights.value(weights.head()), d);
  }
}

}  // namespace plumb
