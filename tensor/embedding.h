#pragma once
// Rows of a table by index, and their gradient.

#include <cstdint>
#include <span>

#include "core/thread_pool.h"

namespace plumb {

/// d_table[ids[t]] += d_rows[t] for all t, in the order of t whatever the number of threads.
///   ids      [T]
///   d_rows   [T, D]  f32
///   d_table  [V, D]  f32
void embedding_backward(std::span<const std::int32_t> ids, const float* d_rows, std::int64_t size_d, float* d_table,
                        ThreadPool& pool);

}  // namespace plumb
