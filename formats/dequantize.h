#pragma once
// Blocks of quantised weights to f32, one loop per type. Layouts and arithmetic are ggml's; every value is computed in
// f32 with one rounding per operation, so the bits equal those of the gguf Python package.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace plumb {

/// How GGUF stores a tensor; the numbers are those in the file.
enum class GgufType : std::uint32_t { kF32 = 0, kF16 = 1, kQ4_0 = 2, kQ4_1 = 3, kQ8_0 = 8, kQ6_K = 14, kBf16 = 30 };

/// "F32", "Q4_1", ... or an empty text for a number that is not in GgufType.
std::string_view gguf_type_name(std::uint32_t type);

/// Values per block and bytes per block of `type`.
struct BlockLayout {
  std::int64_t values = 1;
  std::int64_t bytes = 4;
};
BlockLayout block_layout(GgufType type);

/// Writes the f32 values of whole blocks. values.size() must be a multiple of the block's, and blocks.size() must be
/// exactly the bytes that holds; both are the caller's to ensure. `blocks` needs no alignment.
void dequantize(GgufType type, std::span<const std::byte> blocks, std::span<float> values);

}  // namespace plumb
