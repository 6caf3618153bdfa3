#pragma once
// Root-mean-square normalisation, one row at a time.

#include <cstdint>

namespace plumb {

/// y[d] = x[d] * weight[d] / sqrt(mean(x^2) + epsilon).
///   x, weight, y  [D]  f32; y may be x
/// The squares are summed in 16 lanes, in order, then in a fixed tree: the bits depend on the row alone.
void rms_norm(const float* x, const float* weight, std::int64_t size_d, float epsilon, float* y);

/// The gradient of rms_norm for one row.
///   x, weight, dy  [D]  in
///   dx             [D]  += gradient by x
///   d_weight       [D]  += gradient by weight
void rms_norm_backward(const float* x, const float* weight, const float* dy, std::int64_t size_d, float epsilon,
                       float* dx, float* d_weight);

}  // namespace plumb
