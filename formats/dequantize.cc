#include "formats/dequantize.h"

#include <array>
#include <cstring>

#include "core/check.h"
#include "formats/half.h"

namespace plumb {
namespace {

std::uint16_t load_u16(const std::byte* bytes) {
  std::uint16_t value = 0;
  std::memcpy(&value, bytes, sizeof(value));
  return value;
}

void copy_f32(const std::byte* in, float* out, std::size_t count) {
  std::memcpy(out, in, count * sizeof(float));
}

void widen_f16(const std::byte* in, float* out, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    out[i] = half_to_float(load_u16(in + 2 * i));
  }
}

void widen_bf16(const std::byte* in, float* out, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    out[i] = bfloat16_to_float(load_u16(in + 2 * i));
  }
}

constexpr std::size_t kBlock = 32;        // values per block of Q4_0, Q4_1 and Q8_0
constexpr std::size_t kSuperBlock = 256;  // values per block of Q6_K

// {f16 scale, 16 bytes}: low nibbles are values 0..15, high nibbles 16..31, offset by 8.
void expand_q4_0(const std::byte* in, float* out, std::size_t count) {
  for (std::size_t block = 0; block < count / kBlock; ++block, in += 18, out += kBlock) {
    const float scale = half_to_float(load_u16(in));
    for (std::size_t i = 0; i < kBlock / 2; ++i) {
      const int packed = std::to_integer<int>(in[2 + i]);
      out[i] = static_cast<float>((packed & 15) - 8) * scale;
      out[i + kBlock / 2] = static_cast<float>((packed >> 4) - 8) * scale;
    }
  }
}

// {f16 scale, f16 minimum, 16 bytes}: nibbles as in Q4_0, not offset.
void expand_q4_1(const std::byte* in, float* out, std::size_t count) {
  for (std::size_t block = 0; block < count / kBlock; ++block, in += 20, out += kBlock) {
    const float scale = half_to_float(load_u16(in));
    const float minimum = half_to_float(load_u16(in + 2));
    for (std::size_t i = 0; i < kBlock / 2; ++i) {
      const int packed = std::to_integer<int>(in[4 + i]);
      out[i] = static_cast<float>(packed & 15) * scale + minimum;
      out[i + kBlock / 2] = static_cast<float>(packed >> 4) * scale + minimum;
    }
  }
}

// {f16 scale, 32 signed bytes}.
void expand_q8_0(const std::byte* in, float* out, std::size_t count) {
  for (std::size_t block = 0; block < count / kBlock; ++block, in += 34, out += kBlock) {
    const float scale = half_to_float(load_u16(in));
    for (std::size_t i = 0; i < kBlock; ++i) {
      out[i] = static_cast<float>(std::to_integer<std::int8_t>(in[2 + i])) * scale;
    }
  }
}

// {128 bytes of low nibbles, 64 bytes of high bit pairs, 16 signed scales, f16 scale}: each half of the block holds
// four runs of 32 values; a scale serves 16 values.
void expand_q6_k(const std::byte* in, float* out, std::size_t count) {
  for (std::size_t block = 0; block < count / kSuperBlock; ++block, in += 210) {
    const float scale = half_to_float(load_u16(in + 208));
    for (std::size_t half = 0; half < 2; ++half) {
      const std::byte* low = in + 64 * half;
      const std::byte* high = in + 128 + 32 * half;
      const std::byte* scales = in + 192 + 8 * half;
      for (std::size_t run = 0; run < 4; ++run, out += 32) {
        for (std::size_t i = 0; i < 32; ++i) {
          const int nibbles = std::to_integer<int>(low[i + 32 * (run & 1U)]);
          const int nibble = run < 2 ? nibbles & 15 : nibbles >> 4;
          const int pair = (std::to_integer<int>(high[i]) >> (2 * run)) & 3;
          const float block_scale = scale * static_cast<float>(std::to_integer<std::int8_t>(scales[2 * run + i / 16]));
          out[i] = block_scale * static_cast<float>((nibble | (pair << 4)) - 32);
        }
      }
    }
  }
}

}  // namespace

std::string_view gguf_type_name(std::uint32_t type) {
  switch (static_cast<GgufType>(type)) {
    case GgufType::kF32:
      return "F32";
    case GgufType::kF16:
      return "F16";
    case GgufType::kQ4_0:
      return "Q4_0";
    case GgufType::kQ4_1:
      return "Q4_1";
    case GgufType::kQ8_0:
      return "Q8_0";
    case GgufType::kQ6_K:
      return "Q6_K";
    case GgufType::kBf16:
      return "BF16";
  }
  return {};
}

BlockLayout block_layout(GgufType type) {
  switch (type) {
    case GgufType::kF32:
      return {1, 4};
    case GgufType::kF16:
    case GgufType::kBf16:
      return {1, 2};
    case GgufType::kQ4_0:
      return {32, 18};
    case GgufType::kQ4_1:
      return {32, 20};
    case GgufType::kQ8_0:
      return {32, 34};
    case GgufType::kQ6_K:
      return {256, 210};
  }
  PLUMB_CHECK(false, "block_layout of a type that is not in GgufType");
}

void dequantize(GgufType type, std::span<const std::byte> blocks, std::span<float> values) {
  const BlockLayout layout = block_layout(type);
  PLUMB_CHECK(values.size() % static_cast<std::size_t>(layout.values) == 0 &&
                  blocks.size() ==
                      values.size() / static_cast<std::size_t>(layout.values) * static_cast<std::size_t>(layout.bytes),
              "dequantize: blocks and values disagree in size");
  if (values.empty()) {
    return;
  }
  switch (type) {
    case GgufType::kF32:
      return copy_f32(blocks.data(), values.data(), values.size());
    case GgufType::kF16:
      return widen_f16(blocks.data(), values.data(), values.size());
    case GgufType::kBf16:
      return widen_bf16(blocks.data(), values.data(), values.size());
    case GgufType::kQ4_0:
      return expand_q4_0(blocks.data(), values.data(), values.size());
    case GgufType::kQ4_1:
      return expand_q4_1(blocks.data(), values.data(), values.size());
    case GgufType::kQ8_0:
      return expand_q8_0(blocks.data(), values.data(), values.size());
    case GgufType::kQ6_K:
      return expand_q6_k(blocks.data(), values.data(), values.size());
  }
}

}  // namespace plumb
