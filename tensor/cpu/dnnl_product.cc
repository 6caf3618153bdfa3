#include "tensor/cpu/dnnl_product.h"

#include <map>
#include <mutex>

// Declared here because clang does not find libgomp's header.
extern "C" void omp_set_num_threads(int num_threads);

namespace plumb::internal {
namespace {

using dnnl::memory;

memory::desc weights_desc(const ProductShape& s, memory::data_type type) {
  if (s.b_row_stride == 0) {
    return {{s.k, s.n}, type, memory::format_tag::any};
  }
  return {{s.k, s.n}, type, memory::dims{s.b_row_stride, 1}};
}

dnnl::matmul::primitive_desc describe(const ProductShape& s, const memory::desc& weights);

dnnl::matmul::primitive_desc describe(const ProductShape& s) {
  use_one_thread();
  if (s.packed_for_rows != 0 && s.packed_for_rows != s.m) {
    ProductShape packed = s;
    packed.m = s.packed_for_rows;
    packed.packed_for_rows = 0;
    return describe(s, describe(packed).weights_desc());
  }
  const auto type = s.bf16 ? memory::data_type::bf16 : memory::data_type::f32;
  return describe(s, weights_desc(s, type));
}

dnnl::matmul::primitive_desc describe(const ProductShape& s, const memory::desc& weights) {
  const auto type = s.bf16 ? memory::data_type::bf16 : memory::data_type::f32;
  const memory::desc a({s.m, s.k}, type, memory::dims{s.a_row_stride, s.a_column_stride});
  const memory::desc c({s.m, s.n}, memory::data_type::f32, memory::dims{s.c_row_stride, 1});
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  if (s.accumulate) {
    dnnl::post_ops sum;
    sum.append_sum(1.0F);
    attributes.set_post_ops(sum);
  }
  return {dnnl::matmul::desc(a, weights, c), attributes, cpu_engine()};
}

}  // namespace

dnnl::engine& cpu_engine() {
  static dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

void use_one_thread() {
  thread_local const bool done = [] {
    omp_set_num_threads(1);
    return true;
  }();
  static_cast<void>(done);
}

Product::Product(const ProductShape& shape) : descriptor_(describe(shape)), primitive_(descriptor_) {}

void Product::run(const void* a, const void* b, float* c, ProductScratch& scratch) const {
  use_one_thread();
  thread_local dnnl::stream stream(cpu_engine());
  const auto scratch_desc = descriptor_.scratchpad_desc();
  auto& bytes = scratch.memory();
  const auto needed = static_cast<std::int64_t>(scratch_desc.get_size());
  if (bytes.size() < needed) {
    bytes.resize(needed);
  }
  const auto wrap = [](const memory::desc& desc, const void* data) {
    return memory(desc, cpu_engine(), const_cast<void*>(data));
  };
  primitive_.execute(stream, {{DNNL_ARG_SRC, wrap(descriptor_.src_desc(), a)},
                              {DNNL_ARG_WEIGHTS, wrap(descriptor_.weights_desc(), b)},
                              {DNNL_ARG_DST, wrap(descriptor_.dst_desc(), c)},
                              {DNNL_ARG_SCRATCHPAD, wrap(scratch_desc, bytes.data())}});
}

const Product& product_for(const ProductShape& shape) {
  static std::mutex mutex;
  static std::map<ProductShape, std::unique_ptr<Product>> products;
  const std::lock_guard lock(mutex);
  auto& slot = products[shape];
  if (!slot) {
    slot = std::make_unique<Product>(shape);
  }
  return *slot;
}

}  // namespace plumb::internal
