#include "bench/copy_loop.h"

#include <algorithm>
#include <limits>

#include "bench/bench_result.h"
#include "core/check.h"

namespace plumb {

double copy_seconds(std::span<const float> from, std::span<float> to, int repetitions, ThreadPool& pool) {
  PLUMB_CHECK(from.size() == to.size(), "copy_seconds: lengths differ");
  constexpr std::size_t kPiece = 1 << 16;
  const std::size_t pieces = (from.size() + kPiece - 1) / kPiece;
  double best = std::numeric_limits<double>::infinity();
  for (int repetition = 0; repetition < repetitions; ++repetition) {
    const double start = now_s();
    pool.parallel_for(static_cast<std::int64_t>(pieces), [&](std::int64_t index, int) {
      const std::size_t begin = static_cast<std::size_t>(index) * kPiece;
      const std::size_t count = std::min(kPiece, from.size() - begin);
      std::copy_n(from.data() + begin, count, to.data() + begin);
    });
    best = std::min(best, now_s() - start);
  }
  return best;
}

}  // namespace plumb
