#include "tensor/cpu/thin_products.h"

#include <immintrin.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <map>
#include <mutex>
#include <utility>

#include "core/check.h"
#include "tensor/cpu/proven_products.h"
#include "tensor/cpu/tile_product.h"
#include "tensor/operand.h"

namespace plumb::internal {
namespace {

constexpr std::int64_t kMostVectorRows = 6;  // their sums fit in the registers
constexpr std::int64_t kBlock = 64;          // columns that oneDNN packs side by side: four registers of sums a row

struct Steps {
  std::int64_t all = 0;
  std::int64_t piece = 0;  // of them are added from zero
};

using Block = void (*)(const unsigned char*, const Steps&, const unsigned char*, const ProductTarget&);

#if defined(__AVX512F__)

// One step of the sums of 16 columns: one of I.
struct F32Step {
  static __m512 add(__m512 sum, std::uint32_t x, const void* weights) {
    return _mm512_fmadd_ps(_mm512_castsi512_ps(_mm512_set1_epi32(static_cast<int>(x))), _mm512_loadu_ps(weights), sum);
  }
};

#if defined(__AVX512BF16__)
struct Bf16Step {  // two of I
  static __m512 add(__m512 sum, std::uint32_t x, const void* weights) {
    __m512i pairs = _mm512_set1_epi32(static_cast<int>(x));
#if defined(__clang__)
    // clang 16 crashes where it sees that all pairs are the same.
    asm("" : "+v"(pairs));
#endif
    return _mm512_dpbf16_ps(sum, std::bit_cast<__m512bh>(pairs), std::bit_cast<__m512bh>(_mm512_loadu_si512(weights)));
  }
};
#endif

// kRows rows by 64 columns. A step reads 256 bytes of weights and 4 bytes of every row.
template <typename Step, std::int64_t kRows>
void multiply_block(const unsigned char* x, const Steps& steps, const unsigned char* weights,
                    const ProductTarget& target) {
  alignas(64) float totals[kRows * kBlock];
  const std::int64_t row_bytes = steps.all * 4;
  for (std::int64_t begin = 0; begin < steps.all; begin += steps.piece) {
    __m512 sums[kRows][4];
    for (auto& row : sums) {
      for (__m512& sum : row) {
        sum = _mm512_setzero_ps();
      }
    }
    const std::int64_t end = std::min(steps.all, begin + steps.piece);
    for (std::int64_t s = begin; s < end; ++s) {
      for (std::int64_t r = 0; r < kRows; ++r) {
        std::uint32_t number = 0;
        std::memcpy(&number, x + r * row_bytes + s * 4, sizeof(number));
        for (std::int64_t c = 0; c < 4; ++c) {
          sums[r][c] = Step::add(sums[r][c], number, weights + s * 256 + c * 64);
        }
      }
    }
    for (std::int64_t r = 0; r < kRows; ++r) {
      for (std::int64_t c = 0; c < 4; ++c) {
        float* total = totals + r * kBlock + c * 16;
        _mm512_store_ps(total, begin == 0 ? sums[r][c] : _mm512_add_ps(_mm512_load_ps(total), sums[r][c]));
      }
    }
  }
  for (std::int64_t r = 0; r < kRows; ++r) {
    float* y = target.y + r * target.row_stride;
    for (std::int64_t column = 0; column < kBlock; ++column) {
      y[column] = target.accumulate ? y[column] + totals[r * kBlock + column] : totals[r * kBlock + column];
    }
  }
}

template <typename Step, std::size_t... kRows>
constexpr std::array<Block, sizeof...(kRows)> blocks(std::index_sequence<kRows...>) {
  return {&multiply_block<Step, static_cast<std::int64_t>(kRows) + 1>...};
}

constexpr auto kF32Blocks = blocks<F32Step>(std::make_index_sequence<kMostVectorRows>());
#if defined(__AVX512BF16__)
constexpr auto kBf16Blocks = blocks<Bf16Step>(std::make_index_sequence<kMostVectorRows>());
#endif

// The loop for this many rows; null where the machine has none.
Block block_for(const ThinShape& shape, std::int64_t num_rows) {
  const auto place = static_cast<std::size_t>(num_rows - 1);
  if (!shape.bf16) {
    return kF32Blocks[place];
  }
#if defined(__AVX512BF16__)
  return kBf16Blocks[place];
#else
  return nullptr;
#endif
}

#else

Block block_for(const ThinShape& /*shape*/, std::int64_t /*num_rows*/) {
  return nullptr;
}

#endif

bool by_tiles(const ThinShape& shape) {
  return shape.bf16 && has_tile_products();
}

// Numbers of rows that take every path through the loops.
std::vector<std::int64_t> rows_to_try(const ThinShape& shape) {
  return by_tiles(shape) ? std::vector<std::int64_t>{1, 7, 16, 17, 32, kMostTileRows - 1}
                         : std::vector<std::int64_t>{1, 2, 3, 4, 5, kMostVectorRows};
}

bool gives_bits(const ThinShape& shape, std::int64_t piece) {
  const std::vector<std::int64_t> tries = rows_to_try(shape);
  return std::all_of(tries.begin(), tries.end(), [&](std::int64_t rows) {
    const TileShape panel = {.rows_i = shape.rows_i,
                             .num_panels = 1,
                             .panel_columns = shape.columns,
                             .last_columns = shape.columns,
                             .height = padded_rows(rows),
                             .bf16 = shape.bf16};
    return gives_defining_bits(panel, rows, [&](const void* x, const unsigned char* weights, const ProductTarget& y) {
      run_thin(shape, piece, x, rows, weights, y);
    });
  });
}

std::int64_t find_pieces(const ThinShape& shape) {
  // oneDNN pads I to whole blocks of 16 or 32; with none left over, a panel is 64 columns of one step after another.
  const bool whole = shape.columns % kBlock == 0 && shape.rows_i % (shape.bf16 ? 32 : 16) == 0;
  if (!whole || (!by_tiles(shape) && block_for(shape, 1) == nullptr)) {
    return 0;
  }
  const std::int64_t bytes = shape.rows_i * shape.columns * (shape.bf16 ? 2 : 4);
  if (packed_bytes(defining_products(shape.rows_i, shape.columns, shape.bf16)) != bytes) {
    return 0;
  }
  for (const std::int64_t piece : {std::int64_t{512}, std::int64_t{1024}, std::int64_t{2048}, shape.rows_i}) {
    if (gives_bits(shape, piece)) {
      return piece;
    }
  }
  return 0;
}

}  // namespace

std::int64_t most_thin_rows(const ThinShape& shape) {
  return by_tiles(shape) ? kMostTileRows : kMostVectorRows;
}

std::int64_t thin_pieces(const ThinShape& shape) {
  static std::mutex mutex;
  static std::map<ThinShape, std::int64_t> known;
  const std::lock_guard lock(mutex);
  const auto found = known.find(shape);
  return found != known.end() ? found->second : known.emplace(shape, find_pieces(shape)).first->second;
}

void run_thin(const ThinShape& shape, std::int64_t piece, const void* x, std::int64_t num_rows,
              const unsigned char* weights, const ProductTarget& target) {
  if (by_tiles(shape)) {
    run_tiles(shape.rows_i, shape.columns, piece, x, num_rows, weights, target);
    return;
  }
  const Block block = block_for(shape, num_rows);
  PLUMB_CHECK(block != nullptr && piece > 0, "run_thin: no loop for this shape");
  const std::int64_t depth = shape.bf16 ? 2 : 1;
  const Steps steps{shape.rows_i / depth, piece / depth};
  for (std::int64_t column = 0; column < shape.columns; column += kBlock) {
    ProductTarget part = target;
    part.y += column;
    block(static_cast<const unsigned char*>(x), steps, weights + column * steps.all * 4, part);
  }
}

}  // namespace plumb::internal
