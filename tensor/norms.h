#pragma once
// Sums over whole tensors, in a split that depends on the length alone.

#include <span>

#include "core/thread_pool.h"

namespace plumb {

/// The sum of squares of `values` [n]: f32 squares in 16 lanes within pieces of 4096, pieces added in double in index
/// order. The bits do not depend on the number of threads. NaN or infinity where a value is.
double sum_of_squares(std::span<const float> values, ThreadPool& pool);

}  // namespace plumb
