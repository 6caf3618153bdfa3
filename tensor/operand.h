#pragma once
// The rows that a matrix product reads: f32, or rounded to bf16.

#include <cstdint>

#include "tensor/bf16_products.h"
#include "tensor/buffer.h"
#include "tensor/dtype.h"

namespace plumb {

/// Products run on whole tiles of rows: a buffer that a product reads or writes has its rows padded to this.
inline constexpr std::int64_t kRowTile = 16;

inline std::int64_t padded_rows(std::int64_t rows) {
  return (rows + kRowTile - 1) / kRowTile * kRowTile;
}

/// [rows, columns], row-major. For ComputeDtype::kF32 the numbers are f32; else they are rounded to bf16 and stored as
/// the machine multiplies them (tensor/bf16_products.h). Padding rows hold zeros or finite leftovers; they never reach
/// a result.
class Operand {
 public:
  explicit Operand(ComputeDtype dtype = ComputeDtype::kF32)
      : rounds_(dtype != ComputeDtype::kF32), bf16_(rounds_ && bf16_products() == Bf16Products::kNative) {}
  /// The same numbers in the least memory: rounded ones are always stored as bf16. Not for products.
  static Operand compact(ComputeDtype dtype) {
    Operand operand(dtype);
    operand.bf16_ = operand.rounds_;
    return operand;
  }

  /// Space for `rows` rows and their padding; contents are undefined but for the padding, which is zero.
  void resize(std::int64_t rows, std::int64_t columns);

  /// Rounds `values` [columns] into row `row`.
  void store_row(std::int64_t row, const float* values) { store(row, 0, columns_, values); }
  /// Rounds `count` values into row `row` from column `column` on.
  void store(std::int64_t row, std::int64_t column, std::int64_t count, const float* values);
  /// Row `row` becomes row `from_row` of an operand of the same dtype and columns, or zeros.
  void copy_row(std::int64_t row, const Operand& from, std::int64_t from_row);
  void zero_row(std::int64_t row);
  /// Reads `count` values of row `row` from column `column` on.
  void load(std::int64_t row, std::int64_t column, std::int64_t count, float* values) const;

  /// Whether numbers are stored as bf16.
  [[nodiscard]] bool bf16() const { return bf16_; }
  [[nodiscard]] std::int64_t rows() const { return rows_; }
  [[nodiscard]] std::int64_t columns() const { return columns_; }
  [[nodiscard]] const void* row(std::int64_t row) const {
    return bf16_ ? static_cast<const void*>(bf16_data() + row * columns_)
                 : static_cast<const void*>(f32_data() + row * columns_);
  }
  [[nodiscard]] std::int64_t capacity_bytes() const { return memory_.capacity_bytes(); }

 private:
  [[nodiscard]] const Bfloat16* bf16_data() const {
    return static_cast<const Bfloat16*>(static_cast<const void*>(memory_.data()));
  }
  [[nodiscard]] const float* f32_data() const { return memory_.data(); }
  [[nodiscard]] Bfloat16* bf16_data() { return static_cast<Bfloat16*>(static_cast<void*>(memory_.data())); }

  AlignedBuffer<float> memory_;  // two bf16 share a float's place
  std::int64_t rows_ = 0;
  std::int64_t columns_ = 0;
  bool rounds_;
  bool bf16_;
};

/// `count` floats rounded to bf16, stored as such or as floats, and back.
void round_to_bfloat16(const float* from, std::int64_t count, Bfloat16* to);
void round_to_bfloat16(const float* from, std::int64_t count, float* to);
void widen_bfloat16(const Bfloat16* from, std::int64_t count, float* to);

}  // namespace plumb
