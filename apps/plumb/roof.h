#pragma once
// How fast this machine multiplies, measured when a run starts: what estimates and perf/fraction_of_roof refer to.

#include "core/thread_pool.h"
#include "formats/hyperparameters.h"
#include "tensor/dtype.h"

namespace plumb {

/// GFLOP/s of one product of 1024 x 1024 x 1024 on all threads of `pool`, the best of about 0.1 s (bf16 for bf16_split
/// as well: its roof is that of its products). `plumb bench roofline` takes longer and knows more shapes.
double quick_roof_gflops(ComputeDtype dtype, ThreadPool& pool);

/// Floating-point operations of a forward pass of one token, attention not counted: 2 for each weight of a product.
/// Training a token takes three times as many.
double forward_flop_per_token(const Hyperparameters& shape);

/// Of these, those of the head, which tokens whose successors nobody asks for do not take.
double head_flop_per_token(const Hyperparameters& shape);

}  // namespace plumb
