#pragma once
// The gated activation of the feed-forward block, one row at a time.

#include <cstdint>

namespace plumb {

/// y[f] = silu(gate[f]) * up[f]
///   gate, up, y  [F]  f32; y may be gate or up
void swiglu(const float* gate, const float* up, std::int64_t size_f, float* y);

/// The gradient of swiglu for one row.
///   gate, up, dy     [F]  in
///   d_gate, d_up     [F]  out (=)
void swiglu_backward(const float* gate, const float* up, const float* dy, std::int64_t size_f, float* d_gate,
                     float* d_up);

}  // namespace plumb
