#include "tensor/cpu/unproven_products.h"

#include "tensor/operand.h"
#include "tensor/product_path.h"

namespace plumb {
namespace {

ProductPathChoice& chosen() {
  static ProductPathChoice choice;
  return choice;
}

}  // namespace

void set_product_path(const ProductPathChoice& choice) {
  chosen() = choice;
}

const ProductPathChoice& product_path() {
  return chosen();
}

namespace internal {

const Product& unproven_product(const TileShape& shape, bool accumulate) {
  // Threads keep the last ones at hand: a pass asks for the same few again and again.
  struct Entry {
    TileShape shape;
    bool accumulate = false;
    const Product* product = nullptr;
  };
  thread_local Entry recent[64];
  const auto mix =
      static_cast<std::size_t>(shape.rows_i * 31 + shape.columns() * 7 + shape.height * 2 + (accumulate ? 1 : 0));
  Entry& entry = recent[(mix ^ (mix >> 6)) % 64];
  if (entry.product == nullptr || entry.shape != shape || entry.accumulate != accumulate) {
    entry = {shape, accumulate,
             &product_for({.m = shape.height,
                           .n = shape.columns(),
                           .k = shape.rows_i,
                           .a_row_stride = shape.rows_i,
                           .c_row_stride = shape.columns(),
                           .packed_for_rows = kRowTile,
                           .bf16 = shape.bf16,
                           .accumulate = accumulate})};
  }
  return *entry.product;
}

void run_split_sum(const SplitSum& shape, const void* x, const unsigned char* weights, float* y, bool accumulate,
                   ProductScratch& scratch) {
  constexpr std::int64_t kBlock = 32;  // rows of B that the packed layout keeps together
  const std::int64_t first = shape.rows_i / 2 / kBlock * kBlock;
  const auto part = [&](std::int64_t begin, std::int64_t count, bool adds) {
    const Product& product = product_for({.m = kRowTile,
                                          .n = shape.columns,
                                          .k = count,
                                          .a_row_stride = shape.rows_i,
                                          .c_row_stride = shape.columns,
                                          .bf16 = shape.bf16,
                                          .accumulate = adds});
    const std::int64_t skipped =
        begin == 0 ? 0 : internal::packed_bytes(defining_products(begin, shape.columns, shape.bf16));
    product.run(static_cast<const char*>(x) + begin * (shape.bf16 ? 2 : 4), weights + skipped, y, scratch);
  };
  if (first > 0) {
    part(0, first, accumulate);
  }
  part(first, shape.rows_i - first, accumulate || first > 0);
}

}  // namespace internal
}  // namespace plumb
