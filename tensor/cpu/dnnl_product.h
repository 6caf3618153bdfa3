#pragma once
// oneDNN matmul primitives, built once per shape and shared. Only linear.cc includes this file.

#include <cstdint>
#include <memory>
#include <oneapi/dnnl/dnnl.hpp>

#include "tensor/linear.h"

namespace plumb::internal {

/// C[M, N] (+)= A[M, K] B[K, N], C f32.
struct ProductShape {
  std::int64_t m = 0;
  std::int64_t n = 0;
  std::int64_t k = 0;
  std::int64_t a_row_stride = 0;  // elements between rows of A; 1 together with a_column_stride != 1 for A transposed
  std::int64_t a_column_stride = 1;
  std::int64_t b_row_stride = 0;  // 0: B is packed in the layout that oneDNN chooses
  std::int64_t c_row_stride = 0;
  std::int64_t packed_for_rows = 0;  // with b_row_stride 0: B has the layout of a product of so many rows; 0: of m
  bool bf16 = false;
  bool accumulate = false;

  auto operator<=>(const ProductShape&) const = default;
};

/// A matmul for one shape, executable from any number of threads at once.
class Product {
 public:
  explicit Product(const ProductShape& shape);
  void run(const void* a, const void* b, float* c, ProductScratch& scratch) const;
  const char* impl() const { return descriptor_.impl_info_str(); }
  [[nodiscard]] dnnl::memory::desc packed_desc() const { return descriptor_.weights_desc(); }

 private:
  dnnl::matmul::primitive_desc descriptor_;
  dnnl::matmul primitive_;
};

/// The product of this shape, from a cache that lives as long as the program. Thread-safe.
const Product& product_for(const ProductShape& shape);

dnnl::engine& cpu_engine();
/// Makes libgomp, and so oneDNN, use the calling thread alone.
void use_one_thread();

}  // namespace plumb::internal
