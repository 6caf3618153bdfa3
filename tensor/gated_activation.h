#pragma once
// The gated activations of feed-forward blocks, one row at a time: y = f(gate) * up.

#include <cstdint>

namespace plumb {

/// f: x / (1 + e^-x), x Phi(x), its approximation x sigmoid(2 sqrt(2 / pi) (x + 0.044715 x^3)), max(x, 0).
enum class GateKind : std::uint8_t { kSilu, kGelu, kGeluTanh, kRelu };

/// y[f] = f(gate[f]) * up[f]. kSilu is swiglu(), bit for bit.
///   gate, up, y  [F]  f32; y may be gate or up
void gated_activation(GateKind kind, const float* gate, const float* up, std::int64_t size_f, float* y);

/// The gradient for one row.
///   gate, up, dy     [F]  in
///   d_gate, d_up     [F]  out (=)
void gated_activation_backward(GateKind kind, const float* gate, const float* up, const float* dy, std::int64_t size_f,
                               float* d_gate, float* d_up);

}  // namespace plumb
