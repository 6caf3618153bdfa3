#pragma once
// Conversions between f32 and the 16-bit float formats of model files, written so that loops over them vectorise.

#include <bit>
#include <cstdint>

namespace plumb {

/// The f32 value of an IEEE binary16 number, exactly; subnormals, infinities and NaN included.
inline float half_to_float(std::uint16_t half) {
  const std::uint32_t magnitude = static_cast<std::uint32_t>(half & 0x7FFFU) << 13;
  // Reading the bits as f32 leaves the exponent 112 too low; the product is exact, subnormals too.
  const float scaled = std::bit_cast<float>(magnitude) * 0x1p112F;
  const std::uint32_t finite = std::bit_cast<std::uint32_t>(scaled);
  const std::uint32_t bits = (half & 0x7C00U) == 0x7C00U ? (magnitude | 0x7F800000U) : finite;
  return std::bit_cast<float>(bits | (static_cast<std::uint32_t>(half & 0x8000U) << 16));
}

/// The f32 value of a bfloat16 number, exactly.
inline float bfloat16_to_float(std::uint16_t bfloat16) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bfloat16) << 16);
}

/// `value` rounded to bfloat16, to nearest, ties to even; NaN stays NaN (quiet).
inline std::uint16_t float_to_bfloat16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const bool is_nan = (bits & 0x7FFFFFFFU) > 0x7F800000U;
  const std::uint32_t rounded = bits + 0x7FFFU + ((bits >> 16) & 1U);
  return static_cast<std::uint16_t>((is_nan ? (bits | 0x400000U) : rounded) >> 16);
}

/// `value` rounded to binary16, to nearest, ties to even; beyond its range infinity; NaN stays NaN.
inline std::uint16_t float_to_half(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000U);
  const std::uint32_t magnitude = bits & 0x7FFFFFFFU;
  if (magnitude > 0x7F800000U) {
    return static_cast<std::uint16_t>(sign | 0x7E00U);
  }
  if (magnitude >= 0x477FF000U) {  // rounds to 2^16 or more
    return static_cast<std::uint16_t>(sign | 0x7C00U);
  }
  if (magnitude <
      0x38800000U) {  // below 2^-14: units of 2^-24, rounded by adding what lifts them to a float's last bit
    const float lifted = std::bit_cast<float>(magnitude) + 0.5F;
    return static_cast<std::uint16_t>(sign | (std::bit_cast<std::uint32_t>(lifted) - 0x3F000000U));
  }
  const std::uint32_t rounded = magnitude + 0xFFFU + ((magnitude >> 13) & 1U) - (112U << 23);
  return static_cast<std::uint16_t>(sign | (rounded >> 13));
}

}  // namespace plumb
