#pragma once
// A plain copy in the pool's threads: what memory allows, measured in the minute of the load that it is held against.

#include <cstdint>
#include <span>

#include "core/thread_pool.h"

namespace plumb {

/// Seconds that `from` takes into `to` (of one length), each thread copying pieces of 256 KiB; the fastest of
/// `repetitions`. It reads and writes 4 bytes a float.
double copy_seconds(std::span<const float> from, std::span<float> to, int repetitions, ThreadPool& pool);

}  // namespace plumb
