#include "tensor/gated_activation.h"

#include <cmath>
#include <numbers>

#include "tensor/swiglu.h"
#include "tensor/vector_math.h"

namespace plumb {
namespace {

// f(x) and f'(x) of one number. No family that is trained at scale uses these: they are written for bits, not speed.
struct Gate {
  float value = 0;
  float slope = 0;
};

Gate gelu(float x) {
  constexpr auto kInverseRootTwo = static_cast<float>(1.0 / std::numbers::sqrt2);
  constexpr auto kInverseRootTwoPi = static_cast<float>(std::numbers::inv_sqrtpi / std::numbers::sqrt2);
  const float phi = 0.5F * (1.0F + std::erf(x * kInverseRootTwo));
  return {x * phi, std::fma(x, kInverseRootTwoPi * exp_approx(-0.5F * x * x), phi)};
}

Gate gelu_tanh(float x) {
  constexpr auto kScale = static_cast<float>(2.0 * std::numbers::inv_sqrtpi * std::numbers::sqrt2);
  constexpr float kCubic = 0.044715F;
  const float inner = kScale * std::fma(kCubic * x * x, x, x);
  const float sigmoid = 1.0F / (1.0F + exp_approx(-inner));
  const float inner_slope = kScale * std::fma(3.0F * kCubic * x, x, 1.0F);
  return {x * sigmoid, std::fma(x * sigmoid * (1.0F - sigmoid), inner_slope, sigmoid)};
}

Gate gate_of(GateKind kind, float x) {
  switch (kind) {
    case GateKind::kGelu:
      return gelu(x);
    case GateKind::kGeluTanh:
      return gelu_tanh(x);
    default:
      return x > 0 ? Gate{x, 1.0F} : Gate{};
  }
}

}  // namespace

void gated_activation(GateKind kind, const float* gate, const float* up, std::int64_t size_f, float* y) {
  if (kind == GateKind::kSilu) {
    swiglu(gate, up, size_f, y);
    return;
  }
  for (std::int64_t f = 0; f < size_f; ++f) {
    y[f] = gate_of(kind, gate[f]).value * up[f];
  }
}

void gated_activation_backward(GateKind kind, const float* gate, const float* up, const float* dy, std::int64_t size_f,
                               float* d_gate, float* d_up) {
  if (kind == GateKind::kSilu) {
    swiglu_backward(gate, up, dy, size_f, d_gate, d_up);
    return;
  }
  for (std::int64_t f = 0; f < size_f; ++f) {
    const Gate at = gate_of(kind, gate[f]);
    const float d = dy[f];
    d_gate[f] = d * up[f] * at.slope;
    d_up[f] = d * at.value;
  }
}

}  // namespace plumb
