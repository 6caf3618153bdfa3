#pragma once
// AdamW (Loshchilov and Hutter 2019, arXiv 1711.05101, algorithm 2) in one pass over memory.

#include <cstdint>
#include <span>

#include "core/thread_pool.h"

namespace plumb {

struct AdamWStep {
  float learning_rate = 0;
  float beta1 = 0.9F;
  float beta2 = 0.95F;
  float epsilon = 1e-8F;
  float weight_decay = 0;
  std::int64_t step = 1;     // counts from 1: the exponent of the bias corrections
  float gradient_scale = 1;  // gradients are multiplied by it first (clipping)
};

/// One update of `value` and of the moments `m` and `v`, all of one length:
///   g = gradient * gradient_scale, m = beta1 m + (1 - beta1) g, v = beta2 v + (1 - beta2) g^2,
///   value -= lr * (weight_decay * value + (m / (1 - beta1^step)) / (sqrt(v / (1 - beta2^step)) + epsilon)).
/// Elementwise: the bits do not depend on the number of threads.
void adamw_update(std::span<float> value, std::span<const float> gradient, std::span<float> m, std::span<float> v,
                  const AdamWStep& step, ThreadPool& pool);

}  // namespace plumb
