#pragma once
// Products by the processor's tiles (AMX), which is what oneDNN uses where there are any. Their rounding is their own:
// no other instruction gives the same bits.

#include <cstdint>

#include "tensor/linear.h"

namespace plumb::internal {

inline constexpr std::int64_t kMostTileRows = 128;  // beyond, oneDNN's products are as fast

/// Whether this program was built for a processor with tiles of bf16, and the system lets this process use them.
bool has_tile_products();

/// The product of `num_rows` rows of x [num_rows, I], bf16, by one packed panel of `columns` (a multiple of 64), as
/// run_thin() (thin_products.h). I is a multiple of 32.
void run_tiles(std::int64_t rows_i, std::int64_t columns, std::int64_t piece, const void* x, std::int64_t num_rows,
               const unsigned char* weights, const ProductTarget& target);

}  // namespace plumb::internal
