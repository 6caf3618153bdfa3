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

// Numbers in the order of the source, whose rows or columns are contiguous.
struct PlainCopy {
  explicit PlainCopy(const StridedShape& s)
      : rows_contiguous(s.column_stride == 1),
        outer(rows_contiguous ? s.rows : s.columns),
        inner(rows_contiguous ? s.columns : s.rows),
        outer_stride(rows_contiguous ? s.row_stride : s.column_stride) {}

  [[nodiscard]] memory::desc desc(const memory::dims& dims, memory::data_type type) const {
    return {dims, type, rows_contiguous ? memory::dims{inner, 1} : memory::dims{1, inner}};
  }

  bool rows_contiguous;
  std::int64_t outer, inner, outer_stride;
};

void round_split(const float* from, std::int64_t count, Bfloat16* high, Bfloat16* low) {
  for (std::int64_t i = 0; i < count; ++i) {
    high[i] = to_bfloat16(from[i]);
    low[i] = to_bfloat16(from[i] - to_float(high[i]));
  }
}

void round_split(const float* from, std::int64_t count, float* sum) {
  for (std::int64_t i = 0; i < count; ++i) {
    const float high = to_float(to_bfloat16(from[i]));
    sum[i] = high + to_float(to_bfloat16(from[i] - high));
  }
}

}  // namespace

void pack(const StridedShape& shape, const float* from, const memory::desc& packed, ComputeDtype dtype, void* high,
          void* low, ProductScratch& scratch) {
  const memory::dims dims = {shape.rows, shape.columns};
  if (dtype == ComputeDtype::kF32) {
    reorder({dims, memory::data_type::f32, {shape.row_stride, shape.column_stride}}, from, packed, high);
    return;
  }
  const PlainCopy copy(shape);
  const std::int64_t count = copy.outer * copy.inner;
  scratch.memory().resize(count * static_cast<std::int64_t>(sizeof(float)));
  if (packed.data_type() == memory::data_type::f32) {
    auto* rounded = static_cast<float*>(static_cast<void*>(scratch.memory().data()));
    for (std::int64_t o = 0; o < copy.outer; ++o) {
      const float* row = from + o * copy.outer_stride;
      if (dtype == ComputeDtype::kBf16Split) {
        round_split(row, copy.inner, rounded + o * copy.inner);
      } else {
        round_to_bfloat16(row, copy.inner, rounded + o * copy.inner);
      }
    }
    reorder(copy.desc(dims, memory::data_type::f32), rounded, packed, high);
    return;
  }
  auto* rounded = static_cast<Bfloat16*>(static_cast<void*>(scratch.memory().data()));
  Bfloat16* rest = rounded + count;
  for (std::int64_t o = 0; o < copy.outer; ++o) {
    const float* row = from + o * copy.outer_stride;
    if (low != nullptr) {
      round_split(row, copy.inner, rounded + o * copy.inner, rest + o * copy.inner);
    } else {
      round_to_bfloat16(row, copy.inner, rounded + o * copy.inner);
    }
  }
  reorder(copy.desc(dims, memory::data_type::bf16), rounded, packed, high);
  if (low != nullptr) {
    reorder(copy.desc(dims, memory::data_type::bf16), rest, packed, low);
  }
}

}  // namespace plumb::internal
