#include "tensor/cpu/tile_product.h"

#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "core/check.h"

namespace plumb::internal {

#if defined(__AMX_BF16__)

namespace {

// A step is two of I: a panel has the pairs of its 64 columns side by side, one step after another.
constexpr std::int64_t kBlock = 64;
constexpr std::int64_t kStepBytes = kBlock * 4;
constexpr std::int64_t kTile = 16;  // rows of x, columns, or steps of the weights
constexpr std::int64_t kRowsAtOnce = 2 * kTile;

// The shapes of the eight tiles, for as long as it lives: 0 to 3 are sums; 4 and 5 rows of x; the rest weights.
class TileShapes {
 public:
  // For up to 16 rows all sums are of the same rows, beyond that 2 and 3 are of the rows from the 17th.
  explicit TileShapes(std::int64_t num_rows) {
    struct alignas(64) Config {
      std::uint8_t palette = 1;
      std::uint8_t start_row = 0;
      std::uint8_t reserved[14] = {};
      std::uint16_t row_bytes[16] = {};
      std::uint8_t rows[16] = {};
    } config;
    const auto first = static_cast<std::uint8_t>(std::min(num_rows, kTile));
    const auto second = static_cast<std::uint8_t>(num_rows > kTile ? num_rows - kTile : num_rows);
    const std::uint8_t x_second = num_rows > kTile ? second : kTile;
    const std::uint8_t rows[8] = {first, first, second, second, first, x_second, kTile, kTile};
    for (std::size_t tile = 0; tile < 8; ++tile) {
      config.row_bytes[tile] = 64;
      config.rows[tile] = rows[tile];
    }
    _tile_loadconfig(&config);
  }
  ~TileShapes() { _tile_release(); }
  TileShapes(const TileShapes&) = delete;
  TileShapes& operator=(const TileShapes&) = delete;
};

struct Rows {
  const unsigned char* x;
  std::int64_t row_bytes;
};

struct Steps {
  std::int64_t begin;
  std::int64_t end;
};

void zero_sums() {
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
}

// sums [16, 64] of up to 16 rows, from zero: the weights pass once, from memory where they are large.
void sum_one_tile(const Rows& rows, const Steps& steps, const unsigned char* weights, float* sums) {
  zero_sums();
  for (std::int64_t s = steps.begin; s < steps.end; s += kTile) {
    const unsigned char* w = weights + s * kStepBytes;
    // The processor's own prefetching ends with each page.
    for (std::int64_t line = 0; line < kTile * kStepBytes; line += 64) {
      _mm_prefetch(w + 2 * kTile * kStepBytes + line, _MM_HINT_T0);
    }
    _tile_loadd(4, rows.x + s * 4, rows.row_bytes);
    _tile_loadd(5, w, kStepBytes);
    _tile_dpbf16ps(0, 4, 5);
    _tile_loadd(6, w + 64, kStepBytes);
    _tile_dpbf16ps(1, 4, 6);
    _tile_loadd(7, w + 128, kStepBytes);
    _tile_dpbf16ps(2, 4, 7);
    _tile_loadd(5, w + 192, kStepBytes);
    _tile_dpbf16ps(3, 4, 5);
  }
  _tile_stored(0, sums, kStepBytes);
  _tile_stored(1, sums + 16, kStepBytes);
  _tile_stored(2, sums + 32, kStepBytes);
  _tile_stored(3, sums + 48, kStepBytes);
}

// sums [32, 64]: 32 columns of 17 to 32 rows, from zero: each tile is loaded for two products.
void sum_half_block(const Rows& rows, const Steps& steps, const unsigned char* weights, float* sums) {
  zero_sums();
  for (std::int64_t s = steps.begin; s < steps.end; s += kTile) {
    const unsigned char* w = weights + s * kStepBytes;
    _tile_loadd(6, w, kStepBytes);
    _tile_loadd(4, rows.x + s * 4, rows.row_bytes);
    _tile_dpbf16ps(0, 4, 6);
    _tile_loadd(7, w + 64, kStepBytes);
    _tile_dpbf16ps(1, 4, 7);
    _tile_loadd(5, rows.x + kTile * rows.row_bytes + s * 4, rows.row_bytes);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  _tile_stored(0, sums, kStepBytes);
  _tile_stored(1, sums + 16, kStepBytes);
  _tile_stored(2, sums + kTile * kBlock, kStepBytes);
  _tile_stored(3, sums + kTile * kBlock + 16, kStepBytes);
}

void sum_block(const Rows& rows, std::int64_t num_rows, const Steps& steps, const unsigned char* weights, float* sums) {
  if (num_rows <= kTile) {
    sum_one_tile(rows, steps, weights, sums);
    return;
  }
  sum_half_block(rows, steps, weights, sums);
  sum_half_block(rows, steps, weights + kStepBytes / 2, sums + kBlock / 2);
}

// Up to 32 rows by 64 columns; TileShapes stand.
void multiply_block(const Rows& rows, std::int64_t num_rows, std::int64_t piece, const unsigned char* weights,
                    const ProductTarget& target) {
  alignas(64) float totals[kRowsAtOnce * kBlock];
  alignas(64) float sums[kRowsAtOnce * kBlock];
  const std::int64_t all = rows.row_bytes / 4;
  for (std::int64_t begin = 0; begin < all; begin += piece) {
    sum_block(rows, num_rows, {begin, std::min(all, begin + piece)}, weights, begin == 0 ? totals : sums);
    for (std::int64_t n = 0; begin > 0 && n < num_rows * kBlock; ++n) {
      totals[n] += sums[n];
    }
  }
  for (std::int64_t r = 0; r < num_rows; ++r) {
    float* y = target.y + r * target.row_stride;
    const float* total = totals + r * kBlock;
    for (std::int64_t column = 0; column < kBlock; ++column) {
      y[column] = target.accumulate ? y[column] + total[column] : total[column];
    }
  }
}

}  // namespace

bool has_tile_products() {
  // Linux gives the tiles' registers to a process that asks for them; who uses them without has made a mistake.
  constexpr int kRequestState = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr int kTileData = 18;
  static const bool allowed = syscall(SYS_arch_prctl, kRequestState, kTileData) == 0;
  return allowed;
}

void run_tiles(std::int64_t rows_i, std::int64_t columns, std::int64_t piece, const void* x, std::int64_t num_rows,
               const unsigned char* weights, const ProductTarget& target) {
  const std::int64_t row_bytes = rows_i * 2;
  for (std::int64_t row = 0; row < num_rows; row += kRowsAtOnce) {
    const std::int64_t count = std::min(kRowsAtOnce, num_rows - row);
    const Rows rows{static_cast<const unsigned char*>(x) + row * row_bytes, row_bytes};
    const TileShapes shapes(count);
    for (std::int64_t column = 0; column < columns; column += kBlock) {
      ProductTarget part = target;
      part.y += row * target.row_stride + column;
      multiply_block(rows, count, piece / 2, weights + column * row_bytes, part);
    }
  }
}

#else

bool has_tile_products() {
  return false;
}

void run_tiles(std::int64_t /*rows_i*/, std::int64_t /*columns*/, std::int64_t /*piece*/, const void* /*x*/,
               std::int64_t /*num_rows*/, const unsigned char* /*weights*/, const ProductTarget& /*target*/) {
  PLUMB_CHECK(false, "run_tiles: this processor has no tiles");
}

#endif

}  // namespace plumb::internal
