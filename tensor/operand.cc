#include "tensor/operand.h"

#include <algorithm>

namespace plumb {

void Operand::resize(std::int64_t rows, std::int64_t columns) {
  const std::int64_t elements = padded_rows(rows) * columns;
  memory_.resize(bf16_ ? (elements + 1) / 2 : elements);
  rows_ = rows;
  columns_ = columns;
  const std::int64_t used = rows * columns;
  if (bf16_) {
    std::fill(bf16_data() + used, bf16_data() + elements, Bfloat16{});
  } else {
    std::fill(memory_.data() + used, memory_.data() + elements, 0.0F);
  }
}

void Operand::store(std::int64_t row, std::int64_t column, std::int64_t count, const float* values) {
  const std::int64_t offset = row * columns_ + column;
  if (bf16_) {
    round_to_bfloat16(values, count, bf16_data() + offset);
  } else if (rounds_) {
    round_to_bfloat16(values, count, memory_.data() + offset);
  } else {
    std::copy(values, values + count, memory_.data() + offset);
  }
}

void Operand::copy_row(std::int64_t row, const Operand& from, std::int64_t from_row) {
  if (bf16_) {
    std::copy_n(from.bf16_data() + from_row * columns_, columns_, bf16_data() + row * columns_);
  } else {
    std::copy_n(from.f32_data() + from_row * columns_, columns_, memory_.data() + row * columns_);
  }
}

void Operand::zero_row(std::int64_t row) {
  if (bf16_) {
    std::fill_n(bf16_data() + row * columns_, columns_, Bfloat16{});
  } else {
    std::fill_n(memory_.data() + row * columns_, columns_, 0.0F);
  }
}

void Operand::load(std::int64_t row, std::int64_t column, std::int64_t count, float* values) const {
  const std::int64_t offset = row * columns_ + column;
  if (bf16_) {
    widen_bfloat16(bf16_data() + offset, count, values);
  } else {
    std::copy(f32_data() + offset, f32_data() + offset + count, values);
  }
}

void round_to_bfloat16(const float* from, std::int64_t count, Bfloat16* to) {
  for (std::int64_t i = 0; i < count; ++i) {
    to[i] = to_bfloat16(from[i]);
  }
}

void round_to_bfloat16(const float* from, std::int64_t count, float* to) {
  for (std::int64_t i = 0; i < count; ++i) {
    to[i] = to_float(to_bfloat16(from[i]));
  }
}

void widen_bfloat16(const Bfloat16* from, std::int64_t count, float* to) {
  for (std::int64_t i = 0; i < count; ++i) {
    to[i] = to_float(from[i]);
  }
}

}  // namespace plumb
