#pragma once
// Number formats of matrix products, and the 16-bit brain float.

#include <bit>
#include <cstdint>

namespace plumb {

/// How matrix products read the f32 master weights. kBf16 rounds weights and activations to bf16 (f32 accumulation);
/// kBf16Split keeps each weight as the sum of two bf16 numbers (two products), so that small updates are not lost.
enum class ComputeDtype { kF32, kBf16, kBf16Split };

/// The upper half of an f32: 8 exponent bits, 8 significant bits.
struct Bfloat16 {
  std::uint16_t bits = 0;
};

/// `value` rounded to the nearest bf16, ties to even; NaN stays NaN.
inline Bfloat16 to_bfloat16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t rounded = (bits + 0x7FFFU + ((bits >> 16) & 1U)) >> 16;
  const bool nan = (bits & 0x7FFFFFFFU) > 0x7F800000U;
  return Bfloat16{static_cast<std::uint16_t>(nan ? (bits >> 16) | 0x40U : rounded)};
}

/// Exact.
inline float to_float(Bfloat16 value) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(value.bits) << 16);
}

}  // namespace plumb
