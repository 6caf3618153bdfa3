#pragma once
// Products of a few rows: one request decodes alone, and its time is that of reading the weights.
//
// A tile of 16 rows multiplies 15 rows of padding for one that counts. These loops multiply the rows that there are,
// over the panels that oneDNN packed, and add in the order in which the defining product does: an output's sum runs
// over I in one accumulator. Whether that gives the defining bits is tried, like every other tile.

#include <cstdint>

#include "tensor/linear.h"

namespace plumb::internal {

inline constexpr std::int64_t kMostThinRows = 6;  // their sums fit in the registers

struct ThinShape {
  std::int64_t rows_i = 0;   // I, the length of the sums
  std::int64_t columns = 0;  // of one panel
  bool bf16 = false;

  auto operator<=>(const ThinShape&) const = default;
};

/// Whether run_thin() gives the bits of the defining product (proven_products.h) for 1 to kMostThinRows rows; false
/// where this machine or this shape has no such loop. The trial is made at the first call for a shape. Thread-safe.
bool thin_proven(const ThinShape& shape);

/// The product of `num_rows` rows of x [num_rows, I] by one packed panel; writes just those rows. Only where
/// thin_proven().
void run_thin(const ThinShape& shape, const void* x, std::int64_t num_rows, const unsigned char* weights,
              const ProductTarget& target);

}  // namespace plumb::internal
