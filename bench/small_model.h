#pragma once
// A small random Llama for loads that are about lengths, not about weights.

#include <memory>

#include "core/result.h"
#include "core/thread_pool.h"
#include "policy/policy.h"

namespace plumb {

/// Two layers of width 128 over a vocabulary of 4096, for `max_positions` positions; the same weights every time.
Result<std::unique_ptr<Policy>> small_random_policy(std::int64_t max_positions, ComputeDtype dtype, ThreadPool& pool);

}  // namespace plumb
