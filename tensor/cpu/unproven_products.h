#pragma once
// Products off the proven path (tensor/product_path.h). Nothing that a run reports comes from here.

#include <cstdint>

#include "tensor/cpu/proven_products.h"

namespace plumb::internal {

/// The product of `shape` for any height, over weights packed for tiles of 16 rows; its bits are unknown. The run of
/// panels must be one that a trial has proven for 16 rows.
const Product& unproven_product(const TileShape& shape, bool accumulate);

/// y (+)= x B for one panel and 16 rows, the first half of the sum stored before the second is added.
struct SplitSum {
  std::int64_t rows_i = 0;
  std::int64_t columns = 0;
  bool bf16 = false;
};
void run_split_sum(const SplitSum& shape, const void* x, const unsigned char* weights, float* y, bool accumulate,
                   ProductScratch& scratch);

}  // namespace plumb::internal
