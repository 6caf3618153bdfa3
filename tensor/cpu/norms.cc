#include "tensor/norms.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/trace.h"
#include "tensor/lanes.h"

namespace plumb {
namespace {

constexpr std::int64_t kPiece = 4096;
constexpr std::int64_t kPiecesPerTask = 16;

float piece_sum(const float* values, std::int64_t size) {
  Lanes squares;
  for_lanes(size, [&](std::int64_t i, std::int64_t count) {
    const Lanes value = Lanes::load_first(values + i, count);
    squares = fma(value, value, squares);
  });
  return sum_of(squares);
}

}  // namespace

double sum_of_squares(std::span<const float> values, ThreadPool& pool) {
  const auto size = static_cast<std::int64_t>(values.size());
  constexpr std::int64_t kPerTask = kPiece * kPiecesPerTask;
  const std::int64_t num_tasks = (size + kPerTask - 1) / kPerTask;
  std::vector<double> sums(static_cast<std::size_t>(num_tasks));
  pool.parallel_for(num_tasks, [&](std::int64_t task, int) {
    const TraceSpan span("gradient norm");
    const std::int64_t end = std::min(size, (task + 1) * kPerTask);
    double sum = 0;
    for (std::int64_t begin = task * kPerTask; begin < end; begin += kPiece) {
      sum += static_cast<double>(piece_sum(values.data() + begin, std::min(kPiece, end - begin)));
    }
    sums[static_cast<std::size_t>(task)] = sum;
  });
  double total = 0;
  for (const double sum : sums) {
    total += sum;
  }
  return total;
}

}  // namespace plumb
