#include "tensor/bf16_products.h"

#include <atomic>
#include <oneapi/dnnl/dnnl.hpp>

namespace plumb {
namespace {

bool half_rate_without_amx() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  return __builtin_cpu_is("intel") && !__builtin_cpu_is("cooperlake");
#else
  return false;
#endif
}

Bf16Products choose() {
  switch (dnnl::get_effective_cpu_isa()) {
    case dnnl::cpu_isa::avx512_core_amx:
      return Bf16Products::kNative;
    case dnnl::cpu_isa::avx512_core_bf16:
      return half_rate_without_amx() ? Bf16Products::kThroughF32 : Bf16Products::kNative;
    default:
      return Bf16Products::kThroughF32;
  }
}

std::atomic<Bf16Products>& chosen() {
  static std::atomic<Bf16Products> products(choose());
  return products;
}

}  // namespace

Bf16Products bf16_products() {
  return chosen().load(std::memory_order_relaxed);
}

void set_bf16_products(Bf16Products products) {
  chosen().store(products, std::memory_order_relaxed);
}

}  // namespace plumb
