#include "tensor/linear.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <set>
#include <utility>

#include "core/check.h"
#include "tensor/bf16_products.h"
#include "tensor/cpu/dnnl_product.h"
#include "tensor/cpu/pack.h"
#include "tensor/cpu/proven_products.h"
#include "tensor/cpu/thin_products.h"
#include "tensor/cpu/unproven_products.h"
#include "tensor/product_path.h"

namespace plumb {
namespace {

using internal::Product;
using internal::TileProducts;
using internal::TileShape;

constexpr std::int64_t kHighestTile = 128;
constexpr std::int64_t kNumHeights = kHighestTile / kRowTile;
constexpr std::int64_t kLongestRun = 16;  // panels in one product

constexpr std::int64_t kGradientRows = 1024;  // rows that a weight gradient adds at once

}  // namespace

struct PackedMatrix::State {
  std::int64_t i = 0;
  std::int64_t j = 0;
  std::int64_t panel_columns = 0;
  std::int64_t num_panels = 0;
  std::int64_t panel_bytes = 0;  // of a full panel, packed
  bool bf16 = false;             // operands are stored as bf16
  ComputeDtype dtype = ComputeDtype::kF32;
  Arena own;                      // where no other arena is given
  unsigned char* high = nullptr;  // the packed weights, or their upper part, panel after panel
  unsigned char* low = nullptr;   // split weights in two bf16: what rounding the weights leaves over; else null

  // Products by (panels in the run - 1, whether it ends with a last panel of another width, height / 16 - 1): null
  // until first asked for.
  mutable std::array<std::atomic<const TileProducts*>, kLongestRun * 2 * kNumHeights> tiles{};

  std::int64_t most_thin_rows = 0;
  // Pieces of products of few rows (thin_products.h), for full panels and for the last one: -1 until asked.
  mutable std::array<std::atomic<std::int64_t>, 2> thin{-1, -1};

  [[nodiscard]] std::int64_t last_columns() const { return j - (num_panels - 1) * panel_columns; }
  [[nodiscard]] std::int64_t panel_begin(std::int64_t panel) const { return std::min(j, panel * panel_columns); }
  [[nodiscard]] std::int64_t width(PanelRange range) const { return panel_begin(range.end) - panel_begin(range.begin); }

  [[nodiscard]] const TileProducts& products(std::int64_t length, bool last, std::int64_t height) const;
  [[nodiscard]] std::int64_t highest_tile(PanelRange range, std::int64_t rows) const;
  void run_tile(PanelRange range, const void* x, std::int64_t height, const ProductTarget& target,
                ProductScratch& scratch) const;
  void run_through_copy(PanelRange range, const void* x, std::int64_t height, const ProductTarget& target,
                        ProductScratch& scratch) const;
  void run(PanelRange range, const void* x, std::int64_t rows, const ProductTarget& target,
           ProductScratch& scratch) const;
  [[nodiscard]] std::int64_t pieces(std::int64_t columns) const;
  [[nodiscard]] bool thin_range(PanelRange range) const;
  void run_few_rows(PanelRange range, const void* x, std::int64_t rows, const ProductTarget& target) const;
  [[nodiscard]] ProductPath path() const;
  void run_unproven(PanelRange range, const void* x, std::int64_t rows, const ProductTarget& target,
                    ProductScratch& scratch) const;
  void run_split(PanelRange range, const void* x, const ProductTarget& target, ProductScratch& scratch) const;
  void count_trials(PanelRange range, std::set<std::pair<std::int64_t, bool>>& seen, TrialCounts& counts) const;
};

const TileProducts& PackedMatrix::State::products(std::int64_t length, bool last, std::int64_t height) const {
  const std::int64_t place = ((length - 1) * 2 + (last ? 1 : 0)) * kNumHeights + height / kRowTile - 1;
  std::atomic<const TileProducts*>& slot = tiles[static_cast<std::size_t>(place)];
  const TileProducts* known = slot.load(std::memory_order_acquire);
  if (known == nullptr) {
    known = &internal::proven_products({.rows_i = i,
                                        .num_panels = length,
                                        .panel_columns = panel_columns,
                                        .last_columns = last ? last_columns() : panel_columns,
                                        .height = height,
                                        .bf16 = bf16});
    slot.store(known, std::memory_order_release);
  }
  return *known;
}

// The highest proven tile of at most `rows` rows; 0 where there is none.
std::int64_t PackedMatrix::State::highest_tile(PanelRange range, std::int64_t rows) const {
  if (range.size() > kLongestRun) {
    return 0;
  }
  const bool last = range.end == num_panels && last_columns() != panel_columns;
  for (std::int64_t height = std::min(kHighestTile, rows); height > 0; height -= kRowTile) {
    if (products(range.size(), last, height).assign != nullptr) {
      return height;
    }
  }
  return 0;
}

// A result that is as wide as the range.
void PackedMatrix::State::run_tile(PanelRange range, const void* x, std::int64_t height, const ProductTarget& target,
                                   ProductScratch& scratch) const {
  const bool last = range.end == num_panels && last_columns() != panel_columns;
  const TileProducts& tile = products(range.size(), last, height);
  const std::int64_t offset = range.begin * panel_bytes;
  (target.accumulate ? tile.add : tile.assign)->run(x, high + offset, target.y, scratch);
  if (low != nullptr) {
    tile.add->run(x, low + offset, target.y, scratch);
  }
}

void PackedMatrix::State::run_through_copy(PanelRange range, const void* x, std::int64_t height,
                                           const ProductTarget& target, ProductScratch& scratch) const {
  const std::int64_t columns = width(range);
  AlignedBuffer<float>& tile = scratch.tile();
  tile.resize(kHighestTile * kLongestRun * panel_columns);
  if (target.accumulate) {
    for (std::int64_t r = 0; r < height; ++r) {
      std::copy_n(target.y + r * target.row_stride, columns, tile.data() + r * columns);
    }
  }
  run_tile(range, x, height, {.y = tile.data(), .row_stride = columns, .accumulate = target.accumulate}, scratch);
  for (std::int64_t r = 0; r < height; ++r) {
    std::copy_n(tile.data() + r * columns, columns, target.y + r * target.row_stride);
  }
}

void PackedMatrix::State::run(PanelRange range, const void* x, std::int64_t rows, const ProductTarget& target,
                              ProductScratch& scratch) const {
  const std::int64_t row_bytes = i * (bf16 ? 2 : 4);
  for (std::int64_t row = 0; row < rows;) {
    const void* x_tile = static_cast<const char*>(x) + row * row_bytes;
    ProductTarget rest = target;
    rest.y += row * target.row_stride;
    const std::int64_t height = highest_tile(range, rows - row);
    if (height == 0) {
      PLUMB_CHECK(range.size() > 1, "a product differs from itself between two runs");
      const PanelRange left = share_of(range, 0, 2);
      run(left, x_tile, rows - row, rest, scratch);
      rest.y += width(left);
      run(share_of(range, 1, 2), x_tile, rows - row, rest, scratch);
      return;
    }
    if (target.row_stride == width(range)) {
      run_tile(range, x_tile, height, rest, scratch);
    } else {
      run_through_copy(range, x_tile, height, rest, scratch);
    }
    row += height;
  }
}

std::int64_t PackedMatrix::State::pieces(std::int64_t columns) const {
  std::atomic<std::int64_t>& slot = thin[columns == panel_columns ? 0 : 1];
  std::int64_t known = slot.load(std::memory_order_acquire);
  if (known < 0) {
    known = internal::thin_pieces({.rows_i = i, .columns = columns, .bf16 = bf16});
    slot.store(known, std::memory_order_release);
  }
  return known;
}

bool PackedMatrix::State::thin_range(PanelRange range) const {
  return pieces(panel_columns) > 0 && (range.end < num_panels || pieces(last_columns()) > 0);
}

void PackedMatrix::State::run_few_rows(PanelRange range, const void* x, std::int64_t rows,
                                       const ProductTarget& target) const {
  for (std::int64_t panel = range.begin; panel < range.end; ++panel) {
    const internal::ThinShape shape = {.rows_i = i, .columns = width({panel, panel + 1}), .bf16 = bf16};
    ProductTarget part = target;
    part.y += panel_begin(panel) - panel_begin(range.begin);
    internal::run_thin(shape, pieces(shape.columns), x, rows, high + panel * panel_bytes, part);
    if (low != nullptr) {
      part.accumulate = true;
      internal::run_thin(shape, pieces(shape.columns), x, rows, low + panel * panel_bytes, part);
    }
  }
}

ProductPath PackedMatrix::State::path() const {
  const ProductPathChoice& choice = product_path();
  const bool mine = choice.rows_i == 0 || (choice.rows_i == i && choice.columns_j == j);
  return mine ? choice.path : ProductPath::kProven;
}

// As many panels as lie side by side for one product, and all rows at once.
void PackedMatrix::State::run_unproven(PanelRange range, const void* x, std::int64_t rows, const ProductTarget& target,
                                       ProductScratch& scratch) const {
  const bool last = range.end == num_panels && last_columns() != panel_columns;
  if (range.size() > kLongestRun || products(range.size(), last, kRowTile).assign == nullptr) {
    ProductTarget rest = target;
    const PanelRange left = share_of(range, 0, 2);
    run_unproven(left, x, rows, rest, scratch);
    rest.y += width(left);
    run_unproven(share_of(range, 1, 2), x, rows, rest, scratch);
    return;
  }
  const std::int64_t columns = width(range);
  const TileShape shape = {.rows_i = i,
                           .num_panels = range.size(),
                           .panel_columns = panel_columns,
                           .last_columns = last ? last_columns() : panel_columns,
                           .height = rows,
                           .bf16 = bf16};
  const bool copies = target.row_stride != columns;
  AlignedBuffer<float>& tile = scratch.tile();
  if (copies) {
    tile.resize(std::max(rows, kHighestTile) * kLongestRun * panel_columns);
    for (std::int64_t r = 0; target.accumulate && r < rows; ++r) {
      std::copy_n(target.y + r * target.row_stride, columns, tile.data() + r * columns);
    }
  }
  float* y = copies ? tile.data() : target.y;
  internal::unproven_product(shape, target.accumulate).run(x, high + range.begin * panel_bytes, y, scratch);
  if (low != nullptr) {
    internal::unproven_product(shape, true).run(x, low + range.begin * panel_bytes, y, scratch);
  }
  for (std::int64_t r = 0; copies && r < rows; ++r) {
    std::copy_n(tile.data() + r * columns, columns, target.y + r * target.row_stride);
  }
}

// 16 rows, panel by panel, the sums in two halves.
void PackedMatrix::State::run_split(PanelRange range, const void* x, const ProductTarget& target,
                                    ProductScratch& scratch) const {
  for (std::int64_t panel = range.begin; panel < range.end; ++panel) {
    const std::int64_t columns = width({panel, panel + 1});
    const internal::SplitSum shape = {.rows_i = i, .columns = columns, .bf16 = bf16};
    std::vector<float> tile(static_cast<std::size_t>(kRowTile * columns));
    float* y = target.y + panel_begin(panel) - panel_begin(range.begin);
    for (std::int64_t r = 0; target.accumulate && r < kRowTile; ++r) {
      std::copy_n(y + r * target.row_stride, columns, tile.data() + r * columns);
    }
    internal::run_split_sum(shape, x, high + panel * panel_bytes, tile.data(), target.accumulate, scratch);
    if (low != nullptr) {
      internal::run_split_sum(shape, x, low + panel * panel_bytes, tile.data(), true, scratch);
    }
    for (std::int64_t r = 0; r < kRowTile; ++r) {
      std::copy_n(tile.data() + r * columns, columns, y + r * target.row_stride);
    }
  }
}

void PackedMatrix::State::count_trials(PanelRange range, std::set<std::pair<std::int64_t, bool>>& seen,
                                       TrialCounts& counts) const {
  if (range.size() == 0) {
    return;
  }
  const bool last = range.end == num_panels && last_columns() != panel_columns;
  const bool whole = range.size() <= kLongestRun && products(range.size(), last, kRowTile).assign != nullptr;
  if (range.size() <= kLongestRun) {
    const bool fresh = seen.emplace(range.size(), last).second;
    for (std::int64_t height = kRowTile; height <= kHighestTile; height += kRowTile) {
      const bool proven = products(range.size(), last, height).assign != nullptr;
      if (fresh) {
        ++(proven ? counts.proven : counts.pinned);
        counts.highest = proven ? std::max(counts.highest, height) : counts.highest;
      }
    }
  }
  if (!whole && range.size() > 1) {
    count_trials(share_of(range, 0, 2), seen, counts);
    count_trials(share_of(range, 1, 2), seen, counts);
  }
}

PackedMatrix::PackedMatrix(std::int64_t rows_i, std::int64_t columns_j, ComputeDtype dtype, std::int64_t panel_columns,
                           Arena* arena)
    : state_(std::make_unique<State>()) {
  PLUMB_CHECK(rows_i > 0 && columns_j > 0 && panel_columns > 0, "PackedMatrix: empty shape");
  State& s = *state_;
  s.i = rows_i;
  s.j = columns_j;
  s.panel_columns = std::min(panel_columns, columns_j);
  s.num_panels = (columns_j + s.panel_columns - 1) / s.panel_columns;
  s.dtype = dtype;
  s.bf16 = dtype != ComputeDtype::kF32 && bf16_products() == Bf16Products::kNative;
  s.most_thin_rows = internal::most_thin_rows({.rows_i = rows_i, .columns = s.panel_columns, .bf16 = s.bf16});
  s.panel_bytes = internal::packed_bytes(internal::defining_products(rows_i, s.panel_columns, s.bf16));
  const std::int64_t last_bytes = internal::packed_bytes(internal::defining_products(rows_i, s.last_columns(), s.bf16));
  const std::int64_t bytes = (s.num_panels - 1) * s.panel_bytes + last_bytes;
  Arena& memory = arena != nullptr ? *arena : s.own;
  s.high = memory.take(bytes);
  if (dtype == ComputeDtype::kBf16Split && s.bf16) {
    s.low = memory.take(bytes);
  }
}

PackedMatrix::~PackedMatrix() = default;
PackedMatrix::PackedMatrix(PackedMatrix&&) noexcept = default;
PackedMatrix& PackedMatrix::operator=(PackedMatrix&&) noexcept = default;

std::int64_t PackedMatrix::rows() const {
  return state_->i;
}
std::int64_t PackedMatrix::packed_bytes() const {
  const State& s = *state_;
  const std::int64_t last = internal::packed_bytes(internal::defining_products(s.i, s.last_columns(), s.bf16));
  return ((s.num_panels - 1) * s.panel_bytes + last) * (s.low != nullptr ? 2 : 1);
}
std::int64_t PackedMatrix::columns() const {
  return state_->j;
}
std::int64_t PackedMatrix::num_panels() const {
  return state_->num_panels;
}
std::int64_t PackedMatrix::panel_begin(std::int64_t panel) const {
  return state_->panel_begin(panel);
}
std::int64_t PackedMatrix::width(PanelRange range) const {
  return state_->width(range);
}

void PackedMatrix::pack_panel(std::int64_t panel, const float* from, std::int64_t stride_i, std::int64_t stride_j,
                              ProductScratch& scratch) {
  State& s = *state_;
  const std::int64_t columns = s.width({panel, panel + 1});
  const std::int64_t offset = panel * s.panel_bytes;
  internal::pack({.rows = s.i, .columns = columns, .row_stride = stride_i, .column_stride = stride_j},
                 from + panel * s.panel_columns * stride_j,
                 internal::defining_products(s.i, columns, s.bf16).assign->packed_desc(), s.dtype, s.high + offset,
                 s.low != nullptr ? s.low + offset : nullptr, scratch);
}

void PackedMatrix::multiply(PanelRange range, const void* x, std::int64_t num_rows, const ProductTarget& target,
                            ProductScratch& scratch) const {
  PLUMB_CHECK(range.begin >= 0 && range.end <= state_->num_panels, "PackedMatrix: panels outside the matrix");
  if (range.size() == 0 || num_rows == 0) {
    return;
  }
  switch (state_->path()) {
    case ProductPath::kUnproven:
      state_->run_unproven(range, x, num_rows, target, scratch);
      return;
    case ProductPath::kSplitSums:
      if (num_rows < kRowTile) {
        state_->run_split(range, x, target, scratch);
        return;
      }
      break;
    case ProductPath::kProven:
      break;
  }
  if (num_rows <= state_->most_thin_rows && state_->thin_range(range)) {
    state_->run_few_rows(range, x, num_rows, target);
    return;
  }
  state_->run(range, x, padded_rows(num_rows), target, scratch);
}

TrialCounts PackedMatrix::try_tiles(std::span<const PanelRange> ranges) const {
  TrialCounts counts;
  std::set<std::pair<std::int64_t, bool>> seen;
  for (const PanelRange& range : ranges) {
    state_->count_trials(range, seen, counts);
  }
  counts.thin_rows = state_->thin_range(all_panels()) ? state_->most_thin_rows : 0;
  return counts;
}

bool PackedMatrix::proven(std::int64_t num_panels, std::int64_t height) const {
  return state_->products(num_panels, false, height).assign != nullptr;
}

void accumulate_weight_gradient(const Operand& dy, const Operand& x, std::int64_t begin, std::int64_t end,
                                float* gradient, ProductScratch& scratch) {
  PLUMB_CHECK(dy.rows() == x.rows(), "accumulate_weight_gradient: operands do not match");
  accumulate_weight_gradient(dy, x, {0, padded_rows(dy.rows())}, begin, end, gradient, scratch);
}

void accumulate_weight_gradient(const Operand& dy, const Operand& x, RowRange rows, std::int64_t begin,
                                std::int64_t end, float* gradient, ProductScratch& scratch) {
  PLUMB_CHECK(dy.bf16() == x.bf16(), "accumulate_weight_gradient: operands do not match");
  PLUMB_CHECK(rows.begin % kRowTile == 0 && rows.end % kRowTile == 0, "accumulate_weight_gradient: rows of tiles");
  const std::int64_t element_bytes = dy.bf16() ? 2 : 4;
  for (std::int64_t row = rows.begin; row < rows.end; row += kGradientRows) {
    const internal::ProductShape shape = {.m = end - begin,
                                          .n = x.columns(),
                                          .k = std::min(kGradientRows, rows.end - row),
                                          .a_row_stride = 1,
                                          .a_column_stride = dy.columns(),
                                          .b_row_stride = x.columns(),
                                          .c_row_stride = x.columns(),
                                          .bf16 = dy.bf16(),
                                          .accumulate = true};
    const auto* a = static_cast<const char*>(dy.row(row)) + begin * element_bytes;
    internal::product_for(shape).run(a, x.row(row), gradient + begin * x.columns(), scratch);
  }
}

}  // namespace plumb
