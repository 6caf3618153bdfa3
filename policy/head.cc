// The last norm and the vocabulary: logits in row chunks, never all of them.

#include <algorithm>

#include "policy/engine.h"
#include "tensor/rms_norm.h"

namespace plumb {
namespace {

constexpr std::int64_t kHeadRows = 64;

}  // namespace

void run_head(Engine& engine, const float* x, std::span<const std::int64_t> rows, Operand* hidden,
              const HeadVisitor& visit) {
  const std::int64_t d = engine.config.hidden_size;
  const std::int64_t v = engine.config.vocab_size;
  const auto num_rows = static_cast<std::int64_t>(rows.size());
  Operand& chunk = engine.worker_scratch(0).operand;
  AlignedBuffer<float>& normed = engine.worker_scratch(0).rows;
  normed.resize(d);
  engine.logits.resize(kHeadRows * v);
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
    engine.multiply(engine.weights.head_forward(), chunk, {.begin = 0, .end = count, .worker = 0, .pool = &engine.pool},
                    engine.logits.data());
    engine.pool.parallel_for(count, [&](std::int64_t i, int worker) {
      visit(begin + i, worker, {engine.logits.data() + i * v, static_cast<std::size_t>(v)});
    });
  }
}

}  // namespace plumb
