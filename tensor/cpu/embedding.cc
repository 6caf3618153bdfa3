#include "tensor/embedding.h"

#include <algorithm>

namespace plumb {

void embedding_backward(std::span<const std::int32_t> ids, const float* d_rows, std::int64_t size_d, float* d_table,
                        ThreadPool& pool) {
  // Columns are shared out, so each thread meets the rows in the same order.
  constexpr std::int64_t kColumns = 64;
  pool.parallel_for((size_d + kColumns - 1) / kColumns, [&](std::int64_t task, int) {
    const std::int64_t begin = task * kColumns;
    const std::int64_t end = std::min(size_d, begin + kColumns);
    for (std::size_t t = 0; t < ids.size(); ++t) {
      const float* from = d_rows + static_cast<std::int64_t>(t) * size_d;
      float* to = d_table + ids[t] * size_d;
      for (std::int64_t d = begin; d < end; ++d) {
        to[d] += from[d];
      }
    }
  });
}

}  // namespace plumb
