#pragma once
// A plain oneDNN product of numbers whose result is known, as the measure of the machine.

#include <cstdint>
#include <memory>

namespace plumb {

struct PlainShape {
  std::int64_t m = 0, n = 0, k = 0;

  [[nodiscard]] double flop() const { return 2.0 * static_cast<double>(m) * static_cast<double>(n * k); }
};

/// C [m, n] f32 = A [m, k] B [k, n], B in the layout that oneDNN likes best. Throws dnnl::error where oneDNN has no
/// such product.
class PlainProduct {
 public:
  PlainProduct(const PlainShape& shape, bool bf16);
  ~PlainProduct();
  PlainProduct(PlainProduct&&) noexcept;
  PlainProduct& operator=(PlainProduct&&) noexcept;

  /// On `threads` OpenMP threads of the calling thread.
  void run(int threads);
  /// Whether a row of the last result has the right numbers, exactly: the operands are small integers.
  [[nodiscard]] bool right() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace plumb
