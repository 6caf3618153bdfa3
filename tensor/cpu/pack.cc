#include "tensor/cpu/pack.h"

#include "tensor/cpu/dnnl_product.h"

namespace plumb::internal {
namespace {

using dnnl::memory;

void reorder(const memory::desc& from_desc, const void* from, const memory::desc& to_desc, void* to) {
  use_one_thread();
  thread_local dnnl::stream stream(cpu_engine());
  memory source(from_desc, cpu_engine(), const_cast<void*>(from));
  memory target(to_desc, cpu_engine(), to);
  dnnl::reorder(source, target).execute(stream, source, target);
}

}  // namespace

void pack(const StridedShape& shape, const float* from, const memory::desc& packed, ComputeDtype dtype, void* high,
          void* low, ProductScratch& scratch) {
  const memory::dims dims = {shape.rows, shape.columns};
  const memory::dims strides = {shape.row_stride, shape.column_stride};
  if (dtype == ComputeDtype::kF32) {
    reorder({dims, memory::data_type::f32, strides}, from, packed, high);
    return;
  }
  // Rounded numbers in the order of the source (one of its strides is 1), then a plain reorder.
  const bool rows_contiguous = shape.column_stride == 1;
  const std::int64_t outer = rows_contiguous ? shape.rows : shape.columns;
  const std::int64_t inner = rows_contiguous ? shape.columns : shape.rows;
  const std::int64_t outer_stride = rows_contiguous ? shape.row_stride : shape.column_stride;
  scratch.memory().resize(2 * outer * inner * static_cast<std::int64_t>(sizeof(Bfloat16)));
  auto* rounded = static_cast<Bfloat16*>(static_cast<void*>(scratch.memory().data()));
  Bfloat16* rest = rounded + outer * inner;
  for (std::int64_t o = 0; o < outer; ++o) {
    for (std::int64_t i = 0; i < inner; ++i) {
      const float value = from[o * outer_stride + i];
      const Bfloat16 upper = to_bfloat16(value);
      rounded[o * inner + i] = upper;
      rest[o * inner + i] = to_bfloat16(value - to_float(upper));
    }
  }
  const memory::dims plain = rows_contiguous ? memory::dims{inner, 1} : memory::dims{1, inner};
  reorder({dims, memory::data_type::bf16, plain}, rounded, packed, high);
  if (dtype == ComputeDtype::kBf16Split) {
    reorder({dims, memory::data_type::bf16, plain}, rest, packed, low);
  }
}

}  // namespace plumb::internal
