#include "tensor/swiglu.h"

#include "tensor/vector_math.h"

namespace plumb {

void swiglu(const float* gate, const float* up, std::int64_t size_f, float* y) {
  for_lanes(size_f, [&](std::int64_t f, std::int64_t count) {
    const Lanes silu = silu_approx(Lanes::load_first(gate + f, count));
    (silu * Lanes::load_first(up + f, count)).store_first(y + f, count);
  });
}

void swiglu_backward(const float* gate, const float* up, const float* dy, std::int64_t size_f, float* d_gate,
                     float* d_up) {
  const Lanes one(1.0F);
  for_lanes(size_f, [&](std::int64_t f, std::int64_t count) {
    const Lanes g = Lanes::load_first(gate + f, count);
    const Lanes d = Lanes::load_first(dy + f, count);
    const Lanes sigmoid = sigmoid_approx(g);
    const Lanes slope = sigmoid * fma(g, one - sigmoid, one);
    (d * Lanes::load_first(up + f, count) * slope).store_first(d_gate + f, count);
    (d * g * sigmoid).store_first(d_up + f, count);
  });
}

}  // namespace plumb
