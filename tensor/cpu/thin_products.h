#pragma once
// Products of a few rows: one request decodes alone, and its time is that of reading the weights.
//
// A tile of 16 rows multiplies 15 rows of padding for one that counts. These loops multiply the rows that there are,
// over the panels that oneDNN packed, and add in the order in which the defining product does: an output's sum runs
// over pieces of I, each from zero in one accumulator, and the pieces are added in order. How long the pieces are
// (oneDNN 2.6: 512, or 1024 where I is beyond 1024; all of I where the processor has tiles) is found by trial; where
// none gives the defining bits, the padded products stay. A processor's own tiles (tile_product.h) take any number of
// rows up to 16 without padding, so there the loops serve batches too.

#include <cstdint>

#include "tensor/linear.h"

namespace plumb::internal {

struct ThinShape {
  std::int64_t rows_i = 0;   // I, the length of the sums
  std::int64_t columns = 0;  // of one panel
  bool bf16 = false;

  auto operator<=>(const ThinShape&) const = default;
};

/// Up to so many rows are multiplied by these loops: few, or where the processor has tiles of bf16 a cache's worth.
std::int64_t most_thin_rows(const ThinShape& shape);

/// The length of pieces with which run_thin() gives the bits of the defining product (proven_products.h) for 1 to
/// most_thin_rows() rows; 0 where this machine or this shape has no such loop. The trial is made at the first call for
/// a shape. Thread-safe.
std::int64_t thin_pieces(const ThinShape& shape);

/// The product of `num_rows` rows of x [num_rows, I] by one packed panel, in pieces of `piece` of I; writes just those
/// rows.
void run_thin(const ThinShape& shape, std::int64_t piece, const void* x, std::int64_t num_rows,
              const unsigned char* weights, const ProductTarget& target);

}  // namespace plumb::internal
