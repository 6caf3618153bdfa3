#pragma once
// How products find their tiles, for measuring what exactness costs and for proving that its tests can fail.

#include <cstdint>

namespace plumb {

enum class ProductPath {
  kProven,     // tiles whose bits a trial has proven: what every run uses
  kUnproven,   // exactness off: one product for as many rows as there are, whatever its bits
  kSplitSums,  // broken on purpose: the sums of up to 15 rows in two halves, as engines without exactness do for speed
};

struct ProductPathChoice {
  ProductPath path = ProductPath::kProven;
  std::int64_t rows_i = 0;  // the products of x [T, I] by [I, J] that take it; 0: all
  std::int64_t columns_j = 0;
};

/// For the process; no product may be running. For benchmarks and tests.
void set_product_path(const ProductPathChoice& choice);
const ProductPathChoice& product_path();

}  // namespace plumb
