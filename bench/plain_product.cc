#include "bench/plain_product.h"

#include <oneapi/dnnl/dnnl.hpp>

// Declared here because clang does not find libgomp's header.
extern "C" void omp_set_num_threads(int num_threads);

namespace plumb {
namespace {

using dnnl::memory;

float a_value(std::int64_t row, std::int64_t i) {
  return static_cast<float>((row + 3 * i) % 13 - 6);
}

float b_value(std::int64_t i, std::int64_t column) {
  return static_cast<float>((5 * i + column) % 17 - 8);
}

dnnl::engine& engine() {
  static dnnl::engine cpu(dnnl::engine::kind::cpu, 0);
  return cpu;
}

// value(row, column) as a matrix laid out as `desc` says.
template <typename Value>
memory filled(const memory::desc& desc, dnnl::stream& stream, Value value) {
  const std::int64_t rows = desc.dims()[0];
  const std::int64_t columns = desc.dims()[1];
  memory plain({{rows, columns}, memory::data_type::f32, memory::format_tag::ab}, engine());
  auto* numbers = static_cast<float*>(plain.get_data_handle());
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t column = 0; column < columns; ++column) {
      numbers[row * columns + column] = value(row, column);
    }
  }
  memory result(desc, engine());
  dnnl::reorder(plain, result).execute(stream, plain, result);
  stream.wait();
  return result;
}

dnnl::matmul::primitive_desc describe(const PlainShape& s, bool bf16) {
  const auto type = bf16 ? memory::data_type::bf16 : memory::data_type::f32;
  const memory::desc a({s.m, s.k}, type, memory::format_tag::ab);
  const memory::desc b({s.k, s.n}, type, memory::format_tag::any);
  const memory::desc c({s.m, s.n}, memory::data_type::f32, memory::format_tag::ab);
  return {dnnl::matmul::desc(a, b, c), engine()};
}

}  // namespace

struct PlainProduct::State {
  State(const PlainShape& s, bool bf16)
      : shape(s),
        descriptor(describe(s, bf16)),
        product(descriptor),
        stream(engine()),
        a(filled(descriptor.src_desc(), stream, a_value)),
        b(filled(descriptor.weights_desc(), stream, b_value)),
        c(descriptor.dst_desc(), engine()) {}

  PlainShape shape;
  dnnl::matmul::primitive_desc descriptor;
  dnnl::matmul product;
  dnnl::stream stream;
  memory a, b, c;
};

PlainProduct::PlainProduct(const PlainShape& shape, bool bf16) : state_(std::make_unique<State>(shape, bf16)) {}
PlainProduct::~PlainProduct() = default;
PlainProduct::PlainProduct(PlainProduct&&) noexcept = default;
PlainProduct& PlainProduct::operator=(PlainProduct&&) noexcept = default;

void PlainProduct::run(int threads) {
  omp_set_num_threads(threads);
  state_->product.execute(state_->stream,
                          {{DNNL_ARG_SRC, state_->a}, {DNNL_ARG_WEIGHTS, state_->b}, {DNNL_ARG_DST, state_->c}});
  state_->stream.wait();
}

bool PlainProduct::right() const {
  const PlainShape& s = state_->shape;
  const std::int64_t row = s.m - 1;
  const auto* numbers = static_cast<const float*>(state_->c.get_data_handle());
  for (std::int64_t column = 0; column < s.n; ++column) {
    float expected = 0;
    for (std::int64_t i = 0; i < s.k; ++i) {
      expected += a_value(row, i) * b_value(i, column);
    }
    if (numbers[row * s.n + column] != expected) {
      return false;
    }
  }
  return true;
}

}  // namespace plumb
