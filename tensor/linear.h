#pragma once
// Matrix products: y = x W^T and its two gradients. The product itself is oneDNN's; what is ours is the split into
// pieces whose bits depend on nothing but the operands of one row (forward, input gradient) or on the shape of the
// batch (weight gradient).
//
// Exactness. Weights are cut into column panels and packed once. What defines the bits is a panel times a tile of 16
// rows. Higher tiles and several panels at once are used only where a trial gave every number the same bits
// (tensor/cpu/proven_products.h). So the bits of y[t] depend on x[t] and W alone.
//
// oneDNN is called single-threaded from the caller's own threads.

#include <cstdint>
#include <memory>
#include <span>
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

/// Panels [begin, end) of a packed matrix.
struct PanelRange {
  std::int64_t begin = 0;
  std::int64_t end = 0;

  [[nodiscard]] std::int64_t size() const { return end - begin; }
};

/// Share `index` of `count` of `range`: the shares are disjoint, cover it, and differ by one panel at most.
inline PanelRange share_of(PanelRange range, std::int64_t index, std::int64_t count) {
  return {range.begin + range.size() * index / count, range.begin + range.size() * (index + 1) / count};
}

/// A product's result: column 0 of the panels goes to y[0], rows are `row_stride` floats apart.
struct ProductTarget {
  float* y = nullptr;
  std::int64_t row_stride = 0;
  bool accumulate = false;  // += instead of =
};

/// How often tiles of a product had the bits that define it.
struct TrialCounts {
  std::int64_t proven = 0;
  std::int64_t pinned = 0;   // trials that failed: lower tiles or fewer panels take their place
  std::int64_t highest = 0;  // rows of the highest proven tile
  std::int64_t thin_rows = 0;  // up to so many rows are multiplied without padding, proven likewise; 0: none
};

/// y = x B for a fixed matrix B [I, J], packed for the products. Immutable but for pack(); products may run
/// concurrently.
class PackedMatrix {
 public:
  static constexpr std::int64_t kPanelColumns = 64;

  /// `panel_columns` (a multiple of 64) is the width of the pieces that J is cut into. The packed numbers lie in
  /// `arena`, which outlives the matrix, or in memory of its own where that is null.
  PackedMatrix(std::int64_t rows_i, std::int64_t columns_j, ComputeDtype dtype,
               std::int64_t panel_columns = kPanelColumns, Arena* arena = nullptr);
  ~PackedMatrix();
  PackedMatrix(PackedMatrix&&) noexcept;
  PackedMatrix& operator=(PackedMatrix&&) noexcept;

  [[nodiscard]] std::int64_t rows() const;  // I
  [[nodiscard]] std::int64_t columns() const;
  [[nodiscard]] std::int64_t packed_bytes() const;
  [[nodiscard]] std::int64_t num_panels() const;
  [[nodiscard]] PanelRange all_panels() const { return {0, num_panels()}; }
  [[nodiscard]] std::int64_t panel_begin(std::int64_t panel) const;  // first column; J for num_panels()
  [[nodiscard]] std::int64_t panel_width(std::int64_t panel) const { return width({panel, panel + 1}); }
  [[nodiscard]] std::int64_t width(PanelRange range) const;  // columns of a range

  /// Takes panel `panel` of B from f32 values: B[i, j] = from[i * stride_i + j * stride_j]. One panel may be packed by
  /// one thread while others pack other panels.
  void pack_panel(std::int64_t panel, const float* from, std::int64_t stride_i, std::int64_t stride_j,
                  ProductScratch& scratch);

  /// The range's columns of x B for `num_rows` rows, padded to padded_rows(num_rows).
  ///   x  [padded rows, I]  as Operand stores it, rows contiguous
  ///   y  [padded rows, width(range)]  f32; padding rows may be overwritten. No copy is made where row_stride is
  ///      width(range).
  void multiply(PanelRange range, const void* x, std::int64_t num_rows, const ProductTarget& target,
                ProductScratch& scratch) const;
  /// One panel into y [padded rows, panel_width(panel)] (=).
  void multiply_panel_alone(std::int64_t panel, const void* x, std::int64_t num_rows, float* y,
                            ProductScratch& scratch) const {
    multiply({panel, panel + 1}, x, num_rows, {.y = y, .row_stride = panel_width(panel)}, scratch);
  }

  /// Makes the trials of every tile height over `ranges`, those of longer runs over the halves that they are cut into,
  /// and counts each kind of tile once. A trial multiplies random numbers by the tile and by the product that defines
  /// the bits (one panel, 16 rows), overwriting and adding, and compares all numbers bit for bit; multiply() uses
  /// nothing else. Results are kept for the program: later calls cost a look-up.
  [[nodiscard]] TrialCounts try_tiles(std::span<const PanelRange> ranges) const;

  /// Whether tiles of `height` rows over `num_panels` full panels have the bits that define the result.
  [[nodiscard]] bool proven(std::int64_t num_panels, std::int64_t height) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// gradient[n, k] += sum over t of dy[t, n] x[t, k], for columns [begin, end) of dy, that is rows of the gradient.
///   dy        [T, N]  Operand
///   x         [T, K]  Operand of the same dtype
///   gradient  [N, K]  f32
/// Rows t are added in fixed chunks, in order: the bits depend on T, N, K and the values, not on who calls.
void accumulate_weight_gradient(const Operand& dy, const Operand& x, std::int64_t begin, std::int64_t end,
                                float* gradient, ProductScratch& scratch);

/// The same over the rows `rows` of both operands alone: a multiple of 16 each, padding rows of dy zero.
struct RowRange {
  std::int64_t begin = 0;
  std::int64_t end = 0;
};
void accumulate_weight_gradient(const Operand& dy, const Operand& x, RowRange rows, std::int64_t begin,
                                std::int64_t end, float* gradient, ProductScratch& scratch);

/// How many rows of a weight gradient one task takes.
inline constexpr std::int64_t kGradientPanel = 288;

}  // namespace plumb
