#pragma once
// The machine's limit for matrix products: plain oneDNN over squares of 1024, 2048 and 4096 and over 2048 x 1536 x 576,
// with oneDNN's own threads or with columns shared out among ours, whichever is faster.

#include <functional>

#include "bench/bench_result.h"
#include "core/result.h"
#include "core/thread_pool.h"

namespace plumb {

/// GFLOP/s of the best plain product that gives the numbers of `dtype`, on the pool's number of threads. For kBf16 that
/// is a bf16 product or, where f32 ones are faster (or bf16 is absent), an f32 product. For kBf16Split, whose weights
/// are two bf16 numbers each, it is half of the bf16 product's rate or the f32 product's. The details hold every shape.
/// Takes some seconds. Errors: oneDNN fails, or a product's numbers are wrong.
Result<BenchResult> bench_roofline(ComputeDtype dtype, ThreadPool& pool);

/// What `load` returns, with the roof of the same minute: the higher of one measured before and one measured after.
Result<BenchResult> beside_roofline(ComputeDtype dtype, ThreadPool& pool,
                                    const std::function<Result<BenchResult>()>& load);

}  // namespace plumb
