#pragma once
// Both ways to multiply bf16 numbers, whatever this machine prefers.

#include <gtest/gtest.h>

#include <oneapi/dnnl/dnnl.hpp>
#include <string>
#include <vector>

#include "tensor/bf16_products.h"
#include "tensor/dtype.h"

namespace plumb::testing {

/// A dtype and how its numbers are multiplied.
struct Arithmetic {
  ComputeDtype dtype = ComputeDtype::kF32;
  Bf16Products products = Bf16Products::kThroughF32;
};

inline const std::vector<Arithmetic>& all_arithmetic() {
  static const std::vector<Arithmetic> all = {{ComputeDtype::kF32, Bf16Products::kThroughF32},
                                              {ComputeDtype::kBf16, Bf16Products::kNative},
                                              {ComputeDtype::kBf16, Bf16Products::kThroughF32},
                                              {ComputeDtype::kBf16Split, Bf16Products::kNative},
                                              {ComputeDtype::kBf16Split, Bf16Products::kThroughF32}};
  return all;
}

inline std::string name_of(const Arithmetic& arithmetic) {
  const std::string way = arithmetic.products == Bf16Products::kNative ? "_native" : "_through_f32";
  switch (arithmetic.dtype) {
    case ComputeDtype::kF32:
      return "f32";
    case ComputeDtype::kBf16:
      return "bf16" + way;
    default:
      return "bf16_split" + way;
  }
}

/// Whether oneDNN multiplies bf16 here (slowly perhaps: it emulates the instruction on plain AVX-512).
inline bool multiplies_bf16() {
  switch (dnnl::get_effective_cpu_isa()) {
    case dnnl::cpu_isa::avx512_core:
    case dnnl::cpu_isa::avx512_core_vnni:
    case dnnl::cpu_isa::avx512_core_bf16:
    case dnnl::cpu_isa::avx512_core_amx:
      return true;
    default:
      return false;
  }
}

/// A test of each arithmetic; those that the machine lacks are skipped. Puts back the machine's own choice.
class ArithmeticTest : public ::testing::TestWithParam<Arithmetic> {
 protected:
  void SetUp() override {
    if (GetParam().products == Bf16Products::kNative && !multiplies_bf16()) {
      GTEST_SKIP() << "oneDNN multiplies no bf16 on this processor";
    }
    set_bf16_products(GetParam().products);
  }
  void TearDown() override { set_bf16_products(before_); }
  [[nodiscard]] static ComputeDtype dtype() { return GetParam().dtype; }

 private:
  Bf16Products before_ = bf16_products();
};

}  // namespace plumb::testing
