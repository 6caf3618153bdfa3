// Products against f64 on rounded operands, and the promise that a row's bits depend on the row and the weights alone:
// any number of rows, any place among them, any range of panels.

#include "tensor/linear.h"

#include <gtest/gtest.h>

#include "tests/support/bf16_scope.h"
#include "tests/support/numeric.h"

namespace plumb {
namespace {

using testing::kUnit;
using testing::random_floats;

double rounded(float value, ComputeDtype dtype) {
  return static_cast<double>(dtype == ComputeDtype::kF32 ? value : to_float(to_bfloat16(value)));
}

// A weight as the product sees it: split weights keep two bf16 numbers.
double seen_weight(float value, ComputeDtype dtype) {
  if (dtype != ComputeDtype::kBf16Split) {
    return rounded(value, dtype);
  }
  const float high = to_float(to_bfloat16(value));
  return static_cast<double>(high) + static_cast<double>(to_float(to_bfloat16(value - high)));
}

Operand operand_of(const std::vector<float>& values, std::int64_t rows, std::int64_t columns, ComputeDtype dtype) {
  Operand operand(dtype);
  operand.resize(rows, columns);
  for (std::int64_t row = 0; row < rows; ++row) {
    operand.store_row(row, values.data() + row * columns);
  }
  return operand;
}

PackedMatrix pack(const std::vector<float>& w, std::int64_t in, std::int64_t out, ComputeDtype dtype,
                  ProductScratch& scratch) {
  PackedMatrix matrix(in, out, dtype);
  for (std::int64_t panel = 0; panel < matrix.num_panels(); ++panel) {
    matrix.pack_panel(panel, w.data(), 1, in, scratch);  // w is [out, in]
  }
  return matrix;
}

// y [rows, width] of the range, without padding.
std::vector<float> multiply(const PackedMatrix& matrix, PanelRange range, const Operand& x,
                            const std::vector<float>* add_to, ProductScratch& scratch) {
  const std::int64_t width = matrix.width(range);
  AlignedBuffer<float> y(padded_rows(x.rows()) * width);
  y.fill_zero();
  if (add_to != nullptr) {
    std::copy_n(add_to->begin(), x.rows() * width, y.data());
  }
  matrix.multiply(range, x.row(0), x.rows(), {.y = y.data(), .row_stride = width, .accumulate = add_to != nullptr},
                  scratch);
  return {y.data(), y.data() + x.rows() * width};
}

class Linear : public testing::ArithmeticTest {};

TEST_P(Linear, MatchesF64) {
  ProductScratch scratch;
  for (const auto& [in, out, rows] : {std::array<std::int64_t, 3>{60, 301, 37}, {576, 130, 16}, {33, 64, 1}}) {
    const auto w = random_floats(in * out, 1);
    const auto x = random_floats(rows * in, 2);
    const PackedMatrix matrix = pack(w, in, out, dtype(), scratch);
    const auto before = random_floats(rows * out, 3);
    const Operand operand = operand_of(x, rows, in, dtype());
    const auto y = multiply(matrix, matrix.all_panels(), operand, nullptr, scratch);
    const auto added = multiply(matrix, matrix.all_panels(), operand, &before, scratch);
    for (std::int64_t r = 0; r < rows; ++r) {
      for (std::int64_t o = 0; o < out; ++o) {
        double sum = 0;
        double size = 0;
        for (std::int64_t i = 0; i < in; ++i) {
          const double term = rounded(x[static_cast<std::size_t>(r * in + i)], dtype()) *
                              seen_weight(w[static_cast<std::size_t>(o * in + i)], dtype());
          sum += term;
          size += std::abs(term);
        }
        const auto at = static_cast<std::size_t>(r * out + o);
        // `in` sums at worst, each off by one rounding of what has been added up so far.
        const double tolerance = kUnit * static_cast<double>(in) * (size + std::abs(static_cast<double>(before[at])));
        ASSERT_NEAR(static_cast<double>(y[at]), sum, tolerance);
        ASSERT_NEAR(static_cast<double>(added[at]), sum + static_cast<double>(before[at]), tolerance);
      }
    }
  }
}

TEST_P(Linear, ARowsBitsDependOnTheRowAlone) {
  ProductScratch scratch;
  for (const auto& [in, out] : {std::array<std::int64_t, 2>{60, 301}, {576, 576}, {1536, 192}, {84, 60}, {31, 7}}) {
    const auto w = random_floats(in * out, 4);
    const PackedMatrix matrix = pack(w, in, out, dtype(), scratch);
    constexpr std::int64_t kRows = 300;
    const auto x = random_floats(kRows * in, 5);
    std::vector<float> alone;
    std::vector<float> added_alone;
    const auto before = random_floats(kRows * out, 6);
    for (std::int64_t r = 0; r < kRows; ++r) {
      const std::vector<float> row(x.begin() + r * in, x.begin() + (r + 1) * in);
      const std::vector<float> row_before(before.begin() + r * out, before.begin() + (r + 1) * out);
      const Operand operand = operand_of(row, 1, in, dtype());
      const auto y = multiply(matrix, matrix.all_panels(), operand, nullptr, scratch);
      const auto added = multiply(matrix, matrix.all_panels(), operand, &row_before, scratch);
      alone.insert(alone.end(), y.begin(), y.end());
      added_alone.insert(added_alone.end(), added.begin(), added.end());
    }
    for (const std::int64_t rows : {2, 3, 4, 5, 6, 7, 15, 16, 17, 33, 48, 80, 112, 128, 129, 300}) {
      const Operand operand = operand_of(x, rows, in, dtype());
      ASSERT_EQ(multiply(matrix, matrix.all_panels(), operand, nullptr, scratch),
                std::vector<float>(alone.begin(), alone.begin() + rows * out))
          << in << " x " << out << ", " << rows << " rows";
      ASSERT_EQ(multiply(matrix, matrix.all_panels(), operand, &before, scratch),
                std::vector<float>(added_alone.begin(), added_alone.begin() + rows * out))
          << in << " x " << out << ", " << rows << " rows added";
    }
  }
}

TEST_P(Linear, ARangeOfPanelsHasTheBitsOfAll) {
  ProductScratch scratch;
  constexpr std::int64_t kIn = 96;
  constexpr std::int64_t kOut = 64 * 21 + 13;
  constexpr std::int64_t kRows = 50;
  const PackedMatrix matrix = pack(random_floats(kIn * kOut, 7), kIn, kOut, dtype(), scratch);
  const Operand x = operand_of(random_floats(kRows * kIn, 8), kRows, kIn, dtype());
  const auto all = multiply(matrix, matrix.all_panels(), x, nullptr, scratch);
  for (const PanelRange range : {PanelRange{0, 1}, {3, 7}, {2, 19}, {16, 22}, {21, 22}, {5, 5}}) {
    const auto part = multiply(matrix, range, x, nullptr, scratch);
    const std::int64_t width = matrix.width(range);
    for (std::int64_t r = 0; r < kRows; ++r) {
      const auto from = all.begin() + r * kOut + matrix.panel_begin(range.begin);
      ASSERT_EQ(std::vector<float>(part.begin() + r * width, part.begin() + (r + 1) * width),
                std::vector<float>(from, from + width));
    }
  }
}

TEST_P(Linear, WritesIntoAWiderMatrixAndNothingBeside) {
  ProductScratch scratch;
  constexpr std::int64_t kIn = 40;
  constexpr std::int64_t kOut = 200;
  constexpr std::int64_t kRows = 32;
  constexpr std::int64_t kStride = kOut + 9;
  const PackedMatrix matrix = pack(random_floats(kIn * kOut, 9), kIn, kOut, dtype(), scratch);
  const Operand x = operand_of(random_floats(kRows * kIn, 10), kRows, kIn, dtype());
  const auto tight = multiply(matrix, matrix.all_panels(), x, nullptr, scratch);
  AlignedBuffer<float> wide(kRows * kStride);
  std::fill(wide.data(), wide.data() + wide.size(), -7.0F);
  matrix.multiply(matrix.all_panels(), x.row(0), kRows, {.y = wide.data(), .row_stride = kStride}, scratch);
  for (std::int64_t r = 0; r < kRows; ++r) {
    for (std::int64_t o = 0; o < kStride; ++o) {
      ASSERT_EQ(wide.data()[r * kStride + o], o < kOut ? tight[static_cast<std::size_t>(r * kOut + o)] : -7.0F);
    }
  }
}

TEST_P(Linear, WeightGradientMatchesF64) {
  ProductScratch scratch;
  for (const auto& [rows, n, k] : {std::array<std::int64_t, 3>{1, 60, 33}, {100, 301, 20}, {1365, 17, 48}}) {
    const auto dy = random_floats(rows * n, 11);
    const auto x = random_floats(rows * k, 12);
    const auto before = random_floats(n * k, 13);
    std::vector<float> gradient = before;
    const Operand dy_operand = operand_of(dy, rows, n, dtype());
    const Operand x_operand = operand_of(x, rows, k, dtype());
    accumulate_weight_gradient(dy_operand, x_operand, 0, n / 2, gradient.data(), scratch);
    accumulate_weight_gradient(dy_operand, x_operand, n / 2, n, gradient.data(), scratch);
    for (std::int64_t i = 0; i < n; ++i) {
      for (std::int64_t j = 0; j < k; ++j) {
        double sum = static_cast<double>(before[static_cast<std::size_t>(i * k + j)]);
        double size = std::abs(sum);
        for (std::int64_t t = 0; t < rows; ++t) {
          const double term = rounded(dy[static_cast<std::size_t>(t * n + i)], dtype()) *
                              rounded(x[static_cast<std::size_t>(t * k + j)], dtype());
          sum += term;
          size += std::abs(term);
        }
        ASSERT_NEAR(static_cast<double>(gradient[static_cast<std::size_t>(i * k + j)]), sum,
                    kUnit * static_cast<double>(rows + 1) * size);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Arithmetic, Linear, ::testing::ValuesIn(testing::all_arithmetic()),
                         [](const auto& parameter) { return testing::name_of(parameter.param); });

// The two gradients of a product against central differences of the product in f64: what a weight gradient and a
// product with the transposed weights have to be.
TEST(LinearGradient, MatchesCentralDifferences) {
  constexpr std::int64_t kRows = 5;
  constexpr std::int64_t kIn = 9;
  constexpr std::int64_t kOut = 7;
  ProductScratch scratch;
  const auto w = random_floats(kOut * kIn, 14);
  const auto x = random_floats(kRows * kIn, 15);
  const auto dy = random_floats(kRows * kOut, 16);
  const auto objective = [&](const std::vector<double>& x_values, const std::vector<double>& w_values) {
    double sum = 0;
    for (std::int64_t r = 0; r < kRows; ++r) {
      for (std::int64_t o = 0; o < kOut; ++o) {
        for (std::int64_t i = 0; i < kIn; ++i) {
          sum += static_cast<double>(dy[static_cast<std::size_t>(r * kOut + o)]) *
                 x_values[static_cast<std::size_t>(r * kIn + i)] * w_values[static_cast<std::size_t>(o * kIn + i)];
        }
      }
    }
    return sum;
  };
  std::vector<float> d_weight(w.size());
  accumulate_weight_gradient(operand_of(dy, kRows, kOut, ComputeDtype::kF32),
                             operand_of(x, kRows, kIn, ComputeDtype::kF32), 0, kOut, d_weight.data(), scratch);
  testing::expect_close(
      d_weight,
      testing::central_differences([&](const auto& v) { return objective(testing::widen(x), v); }, testing::widen(w)),
      20 * kUnit, "d_weight");
  PackedMatrix back(kOut, kIn, ComputeDtype::kF32);  // dx = dy W
  back.pack_panel(0, w.data(), kIn, 1, scratch);
  const auto dx = multiply(back, back.all_panels(), operand_of(dy, kRows, kOut, ComputeDtype::kF32), nullptr, scratch);
  testing::expect_close(
      dx,
      testing::central_differences([&](const auto& v) { return objective(v, testing::widen(w)); }, testing::widen(x)),
      20 * kUnit, "dx");
}

TEST(OperandRows, PaddingIsZeroAndRowsComeBack) {
  for (const ComputeDtype dtype : {ComputeDtype::kF32, ComputeDtype::kBf16}) {
    Operand operand(dtype);
    operand.resize(16, 5);
    const std::vector<float> ones(5, 1.0F);
    for (std::int64_t row = 0; row < 16; ++row) {
      operand.store_row(row, ones.data());
    }
    operand.resize(3, 5);
    const std::vector<float> values = {1.0F, -2.5F, 0.0F, 1.0F + 1.0F / 256, 3e38F};
    operand.store_row(2, values.data());
    std::vector<float> found(5);
    operand.load(2, 0, 5, found.data());
    for (std::size_t i = 0; i < values.size(); ++i) {
      EXPECT_EQ(static_cast<double>(found[i]), rounded(values[i], dtype));
    }
    for (std::int64_t row = 3; row < 16; ++row) {
      operand.load(row, 0, 5, found.data());
      EXPECT_EQ(found, std::vector<float>(5, 0.0F));
    }
  }
}

TEST(Arenas, PiecesAreAlignedAndApart) {
  Arena arena;
  std::vector<unsigned char*> pieces;
  for (const std::int64_t bytes : {1, 64, 100, 1 << 20, 40 << 20, 3}) {
    unsigned char* piece = arena.take(bytes);
    std::fill(piece, piece + bytes, static_cast<unsigned char>(pieces.size()));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(piece) % 64, 0U);
    pieces.push_back(piece);
  }
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    EXPECT_EQ(*pieces[i], i);
  }
}

}  // namespace
}  // namespace plumb
