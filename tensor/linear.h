#pragma once
// Matrix products: y = x W^T and its two gradients. The product itself is oneDNN's; what is ours is the split into
// pieces whose bits depend on nothing but the operands of one row (forward, input gradient) or on the shape of the
// batch (weight gradient).
//
// Exactness. Weights are cut into fixed column panels and packed once. What defines the bits is a panel times a tile of
// 16 rows. Higher tiles (32, 64, 128 rows) and all columns at once are used only where a trial at construction gave
// every row the same bits. So the bits of y[t] depend on x[t] and W alone.
//
// oneDNN is called single-threaded from the caller's own threads.

#include <cstdint>
#include <memory>
#include <vector>

#include "tensor/buffer.h"
#include "tensor/dtype.h"
#include "tensor/operand.h"

namespace plumb {

/// Scratch memory of one thread for the products; grows as needed.
class ProductScratch {
 public:
  AlignedBuffer<unsigned char>& memory() { return memory_; }  // oneDNN's
  AlignedBuffer<float>& tile() { return tile_; }              // a result on its way to a wider matrix

 private:
  AlignedBuffer<unsigned char> memory_;
  AlignedBuffer<float> tile_;
};

/// y = x B for a fixed matrix B [I, J], packed for the products. Immutable but for pack(); products may run
/// concurrently.
class PackedMatrix {
 public:
  /// `panel_columns` (a multiple of 64) is the width of the pieces that J is cut into.
  PackedMatrix(std::int64_t rows_i, std::int64_t columns_j, ComputeDtype dtype, std::int64_t panel_columns);
  ~PackedMatrix();
  PackedMatrix(PackedMatrix&&) noexcept;
  PackedMatrix& operator=(PackedMatrix&&) noexcept;

  [[nodiscard]] std::int64_t num_panels() const;
  [[nodiscard]] std::int64_t columns() const;
  [[nodiscard]] std::int64_t panel_begin(std::int64_t panel) const;  // first column
  [[nodiscard]] std::int64_t panel_width(std::int64_t panel) const;

  /// Takes panel `panel` of B from f32 values: B[i, j] = from[i * stride_i + j * stride_j]. One panel may be packed by
  /// one thread while others pack other panels.
  void pack_panel(std::int64_t panel, const float* from, std::int64_t stride_i, std::int64_t stride_j,
                  ProductScratch& scratch);

  /// y[r, panel's columns] = (or += with `accumulate`) x[r, :] B for `num_rows` rows.
  ///   x  [padded_rows(num_rows), I]  f32 or bf16 as the dtype says, rows contiguous
  ///   y  [padded_rows(num_rows), J]  f32, rows contiguous; padding rows are overwritten
  void multiply_panel(std::int64_t panel, const void* x, std::int64_t num_rows, float* y, bool accumulate,
                      ProductScratch& scratch) const;
  /// The same for a result that holds the panel alone: y [padded_rows(num_rows), panel_width(panel)], always (=).
  void multiply_panel_alone(std::int64_t panel, const void* x, std::int64_t num_rows, float* y,
                            ProductScratch& scratch) const;
  /// All panels.
  void multiply(const void* x, std::int64_t num_rows, float* y, bool accumulate, ProductScratch& scratch) const;

  /// The row-tile heights in use over all columns at once: those whose bits equal the 16-row tile's.
  [[nodiscard]] std::vector<std::int64_t> proven_heights() const;
  [[nodiscard]] std::int64_t bytes() const;

 private:
  struct State;
  struct Panel;
  struct TileTarget;
  void run_tiles(const TileTarget& target, const void* x, std::int64_t num_rows, ProductScratch& scratch) const;

  std::unique_ptr<State> state_;
};

/// gradient[n, k] += sum over t of dy[t, n] x[t, k], for columns [begin, end) of dy, that is rows of the gradient.
///   dy        [T, N]  Operand
///   x         [T, K]  Operand of the same dtype
///   gradient  [N, K]  f32
/// Rows t are added in fixed chunks, in order: the bits depend on T, N, K and the values, not on who calls.
void accumulate_weight_gradient(const Operand& dy, const Operand& x, std::int64_t begin, std::int64_t end,
                                float* gradient, ProductScratch& scratch);

/// How many rows of a weight gradient one task takes.
inline constexpr std::int64_t kGradientPanel = 192;

}  // namespace plumb
