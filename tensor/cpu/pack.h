#pragma once
// f32 weights into the layout that oneDNN multiplies from.

#include <cstdint>
#include <oneapi/dnnl/dnnl.hpp>

#include "tensor/linear.h"

namespace plumb::internal {

/// A strided view of f32 numbers.
struct StridedShape {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::int64_t row_stride = 0;
  std::int64_t column_stride = 0;
};

/// Writes `from` laid out as `packed` says: as it is (kF32), rounded to bf16 (kBf16), or as the sum of two bf16
/// (kBf16Split). A `packed` of f32 takes the rounded numbers as f32, sums included, in `high`; one of bf16 takes the
/// two parts of a split weight in `high` and `low`.
void pack(const StridedShape& shape, const float* from, const dnnl::memory::desc& packed, ComputeDtype dtype,
          void* high, void* low, ProductScratch& scratch);

}  // namespace plumb::internal
