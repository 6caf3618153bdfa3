#include "tensor/rms_norm.h"

#include <cmath>

#include "tensor/lanes.h"

namespace plumb {
namespace {

float inverse_rms(const float* x, std::int64_t size_d, float epsilon) {
  Lanes squares;
  for_lanes(size_d, [&](std::int64_t d, std::int64_t count) {
    const Lanes value = Lanes::load_first(x + d, count);
    squares = fma(value, value, squares);
  });
  return 1.0F / std::sqrt(sum_of(squares) / static_cast<float>(size_d) + epsilon);
}

}  // namespace

void rms_norm(const float* x, const float* weight, std::int64_t size_d, float epsilon, float* y) {
  const Lanes scale(inverse_rms(x, size_d, epsilon));
  for_lanes(size_d, [&](std::int64_t d, std::int64_t count) {
    (Lanes::load_first(x + d, count) * scale * Lanes::load_first(weight + d, count)).store_first(y + d, count);
  });
}

void rms_norm_backward(const float* x, const float* weight, const float* dy, std::int64_t size_d, float epsilon,
                       float* dx, float* d_weight) {
  const float scale = inverse_rms(x, size_d, epsilon);
  Lanes dots;
  for_lanes(size_d, [&](std::int64_t d, std::int64_t count) {
    const Lanes weighted = Lanes::load_first(dy + d, count) * Lanes::load_first(weight + d, count);
    dots = fma(weighted, Lanes::load_first(x + d, count), dots);
  });
  const Lanes along(-sum_of(dots) * scale * scale * scale / static_cast<float>(size_d));
  for_lanes(size_d, [&](std::int64_t d, std::int64_t count) {
    const Lanes x_d = Lanes::load_first(x + d, count);
    const Lanes scaled_dy = Lanes::load_first(dy + d, count) * Lanes(scale);
    const Lanes through = fma(x_d, along, Lanes::load_first(dx + d, count));
    fma(scaled_dy, Lanes::load_first(weight + d, count), through).store_first(dx + d, count);
    fma(scaled_dy, x_d, Lanes::load_first(d_weight + d, count)).store_first(d_weight + d, count);
  });
}

}  // namespace plumb
