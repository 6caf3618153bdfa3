#include "tensor/linear.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <mutex>
#include <span>

#include "core/check.h"
#include "core/rng.h"
#include "tensor/cpu/dnnl_product.h"
#include "tensor/cpu/pack.h"

namespace plumb {
namespace {

using internal::Product;
using internal::product_for;
using internal::ProductShape;

constexpr std::array<std::int64_t, 4> kHeights = {128, 64, 32, kRowTile};

// Rows of a weight gradient are added in chunks of these sizes, largest first.
constexpr std::array<std::int64_t, 4> kChunks = {1024, 256, 64, kRowTile};

// Plain and accumulating products of one row-tile height, or none where the bits differ.
struct TileProducts {
  const Product* assign = nullptr;
  const Product* add = nullptr;
};

// The products of x [height, i] and `width` columns, by height (as kHeights).
struct ProvenProducts {
  std::array<TileProducts, kHeights.size()> by_height;
};

// oneDNN takes its blocked kernels only where rows are contiguous, so a result is always `width` columns wide.
TileProducts tile_products(std::int64_t height, std::int64_t width, std::int64_t i, bool bf16) {
  ProductShape shape = {.m = height, .n = width, .k = i, .a_row_stride = i, .c_row_stride = width, .bf16 = bf16};
  TileProducts products;
  products.assign = &product_for(shape);
  shape.accumulate = true;
  products.add = &product_for(shape);
  return products;
}

std::int64_t packed_bytes(const TileProducts& products) {
  return static_cast<std::int64_t>(products.assign->packed_desc().get_size());
}

// Numbers for a trial: x [height, i], packed weights (any bits of this size are weights in some order), and a y to add
// to.
struct Trial {
  Trial(std::int64_t height, std::int64_t i, std::int64_t weight_bytes, bool bf16);

  Operand x;
  AlignedBuffer<float> weights;
};

Trial::Trial(std::int64_t height, std::int64_t i, std::int64_t weight_bytes, bool bf16)
    : x(bf16 ? ComputeDtype::kBf16 : ComputeDtype::kF32), weights((weight_bytes + 3) / 4) {
  const RngStream random(RngPurpose::kInit, 0x7269616CU);
  std::uint32_t position = 0;
  std::vector<float> row(static_cast<std::size_t>(i));
  x.resize(height, i);
  for (std::int64_t r = 0; r < height; ++r) {
    for (float& value : row) {
      value = random.uniform(position++) - 0.5F;
    }
    x.store_row(r, row.data());
  }
  std::vector<float> values(4096);
  for (float& value : values) {
    value = random.uniform(position++) - 0.5F;
  }
  auto* halves = static_cast<Bfloat16*>(static_cast<void*>(weights.data()));
  for (std::int64_t e = 0; e < weights.size(); ++e) {
    const float value = values[static_cast<std::size_t>((e * 2654435761) >> 7) % values.size()];
    if (bf16) {
      halves[2 * e] = to_bfloat16(value);
      halves[2 * e + 1] = to_bfloat16(values[static_cast<std::size_t>(e) % values.size()]);
    } else {
      weights.data()[e] = value;
    }
  }
}

// The columns of a matrix in the order of its panels, each as the 16-row products give it: what all others must equal.
void run_reference(const Trial& trial, std::span<const TileProducts> panels, std::int64_t height, std::int64_t width,
                   bool accumulate, float* y) {
  ProductScratch scratch;
  const auto* weights = static_cast<const char*>(static_cast<const void*>(trial.weights.data()));
  AlignedBuffer<float> tile;
  std::int64_t column = 0;
  for (const TileProducts& panel : panels) {
    const auto columns = panel.assign->packed_desc().dims()[1];
    tile.resize(kRowTile * columns);
    for (std::int64_t r = 0; r < height; r += kRowTile) {
      std::fill(tile.data(), tile.data() + tile.size(), 0.25F);
      (accumulate ? panel.add : panel.assign)->run(trial.x.row(r), weights, tile.data(), scratch);
      for (std::int64_t t = 0; t < kRowTile; ++t) {
        std::copy_n(tile.data() + t * columns, columns, y + (r + t) * width + column);
      }
    }
    weights += packed_bytes(panel);
    column += columns;
  }
}

bool same_bits(const Product& candidate, const Trial& trial, std::int64_t height, std::int64_t width,
               const AlignedBuffer<float>& expected) {
  ProductScratch scratch;
  AlignedBuffer<float> found(height * width);
  std::fill(found.data(), found.data() + found.size(), 0.25F);
  candidate.run(trial.x.row(0), trial.weights.data(), found.data(), scratch);
  return std::memcmp(expected.data(), found.data(), static_cast<std::size_t>(height * width) * sizeof(float)) == 0;
}

// The products over `width` columns whose bits equal those of 16-row tiles over `panels`. Empty slots: they differ.
ProvenProducts prove(std::int64_t i, std::int64_t width, std::span<const TileProducts> panels, bool bf16) {
  std::int64_t weight_bytes = 0;
  for (const TileProducts& panel : panels) {
    weight_bytes += packed_bytes(panel);
  }
  const Trial trial(kHeights.front(), i, weight_bytes, bf16);
  AlignedBuffer<float> plain(kHeights.front() * width);
  AlignedBuffer<float> added(kHeights.front() * width);
  run_reference(trial, panels, kHeights.front(), width, false, plain.data());
  run_reference(trial, panels, kHeights.front(), width, true, added.data());
  ProvenProducts proven;
  for (std::size_t h = 0; h < kHeights.size(); ++h) {
    const TileProducts candidate = tile_products(kHeights[h], width, i, bf16);
    if (packed_bytes(candidate) == weight_bytes && candidate.add->packed_desc() == candidate.assign->packed_desc() &&
        same_bits(*candidate.assign, trial, kHeights[h], width, plain) &&
        same_bits(*candidate.add, trial, kHeights[h], width, added)) {
      proven.by_height[h] = candidate;
    }
  }
  return proven;
}

// The products of a whole matrix: `panels` alone, by width, and all columns at once.
struct MatrixProducts {
  std::map<std::int64_t, ProvenProducts> by_panel_width;
  ProvenProducts whole;  // empty where panels do not lie in the packed matrix one after the other
};

// Proofs are kept for the life of the program: layers share their shapes.
const MatrixProducts& products_of_matrix(std::int64_t i, std::int64_t j, std::int64_t panel_columns, bool bf16) {
  static std::mutex mutex;
  static std::map<std::array<std::int64_t, 4>, MatrixProducts> known;
  const std::lock_guard lock(mutex);
  const std::array<std::int64_t, 4> key = {i, j, panel_columns, bf16 ? 1 : 0};
  const auto found = known.find(key);
  if (found != known.end()) {
    return found->second;
  }
  MatrixProducts products;
  std::vector<TileProducts> panels;
  for (std::int64_t begin = 0; begin < j; begin += panel_columns) {
    const std::int64_t width = std::min(panel_columns, j - begin);
    panels.push_back(tile_products(kRowTile, width, i, bf16));
    if (!products.by_panel_width.contains(width)) {
      products.by_panel_width[width] = prove(i, width, std::span(&panels.back(), 1), bf16);
    }
  }
  products.whole = prove(i, j, panels, bf16);
  return known.emplace(key, std::move(products)).first->second;
}

}  // namespace

struct PackedMatrix::Panel {
  std::int64_t begin = 0;
  std::int64_t width = 0;
  std::int64_t byte_offset = 0;  // into the packed numbers
  const ProvenProducts* products = nullptr;
};

struct PackedMatrix::State {
  std::int64_t i = 0;
  std::int64_t j = 0;
  ComputeDtype dtype = ComputeDtype::kF32;
  const MatrixProducts* products = nullptr;
  std::vector<Panel> panels;
  AlignedBuffer<unsigned char> high;  // the packed weights, or their upper part, panel after panel
  AlignedBuffer<unsigned char> low;   // kBf16Split: what rounding the weights to bf16 leaves over

  [[nodiscard]] bool bf16() const { return dtype != ComputeDtype::kF32; }
};

struct PackedMatrix::TileTarget {
  const ProvenProducts& products;
  std::int64_t byte_offset;
  float* y;
  std::int64_t width;
  bool accumulate;
};

PackedMatrix::PackedMatrix(std::int64_t rows_i, std::int64_t columns_j, ComputeDtype dtype, std::int64_t panel_columns)
    : state_(std::make_unique<State>()) {
  PLUMB_CHECK(rows_i > 0 && columns_j > 0 && panel_columns > 0, "PackedMatrix: empty shape");
  state_->i = rows_i;
  state_->j = columns_j;
  state_->dtype = dtype;
  state_->products = &products_of_matrix(rows_i, columns_j, panel_columns, state_->bf16());
  std::int64_t bytes = 0;
  for (std::int64_t begin = 0; begin < columns_j; begin += panel_columns) {
    const std::int64_t width = std::min(panel_columns, columns_j - begin);
    const ProvenProducts& products = state_->products->by_panel_width.at(width);
    PLUMB_CHECK(products.by_height.back().assign != nullptr, "a product differs from itself between two runs");
    state_->panels.push_back({begin, width, bytes, &products});
    bytes += packed_bytes(products.by_height.back());
  }
  state_->high.resize(bytes);
  if (dtype == ComputeDtype::kBf16Split) {
    state_->low.resize(bytes);
  }
}

PackedMatrix::~PackedMatrix() = default;
PackedMatrix::PackedMatrix(PackedMatrix&&) noexcept = default;
PackedMatrix& PackedMatrix::operator=(PackedMatrix&&) noexcept = default;

std::int64_t PackedMatrix::num_panels() const {
  return static_cast<std::int64_t>(state_->panels.size());
}
std::int64_t PackedMatrix::columns() const {
  return state_->j;
}
std::int64_t PackedMatrix::panel_begin(std::int64_t panel) const {
  return state_->panels[static_cast<std::size_t>(panel)].begin;
}
std::int64_t PackedMatrix::panel_width(std::int64_t panel) const {
  return state_->panels[static_cast<std::size_t>(panel)].width;
}

void PackedMatrix::pack_panel(std::int64_t panel_index, const float* from, std::int64_t stride_i, std::int64_t stride_j,
                              ProductScratch& scratch) {
  const Panel& panel = state_->panels[static_cast<std::size_t>(panel_index)];
  internal::pack({.rows = state_->i, .columns = panel.width, .row_stride = stride_i, .column_stride = stride_j},
                 from + panel.begin * stride_j, panel.products->by_height.back().assign->packed_desc(), state_->dtype,
                 state_->high.data() + panel.byte_offset,
                 state_->low.size() > 0 ? state_->low.data() + panel.byte_offset : nullptr, scratch);
}

void PackedMatrix::run_tiles(const TileTarget& target, const void* x, std::int64_t num_rows,
                             ProductScratch& scratch) const {
  const std::int64_t rows = padded_rows(num_rows);
  const std::int64_t row_bytes = state_->i * (state_->bf16() ? 2 : 4);
  std::int64_t row = 0;
  for (std::size_t h = 0; h < kHeights.size(); ++h) {
    const TileProducts& tile = target.products.by_height[h];
    for (; tile.assign != nullptr && row + kHeights[h] <= rows; row += kHeights[h]) {
      const auto* x_tile = static_cast<const char*>(x) + row * row_bytes;
      float* y_tile = target.y + row * target.width;
      const Product* first = target.accumulate ? tile.add : tile.assign;
      first->run(x_tile, state_->high.data() + target.byte_offset, y_tile, scratch);
      if (state_->dtype == ComputeDtype::kBf16Split) {
        tile.add->run(x_tile, state_->low.data() + target.byte_offset, y_tile, scratch);
      }
    }
  }
}

void PackedMatrix::multiply_panel_alone(std::int64_t panel_index, const void* x, std::int64_t num_rows, float* y,
                                        ProductScratch& scratch) const {
  const Panel& panel = state_->panels[static_cast<std::size_t>(panel_index)];
  run_tiles({*panel.products, panel.byte_offset, y, panel.width, false}, x, num_rows, scratch);
}

void PackedMatrix::multiply_panel(std::int64_t panel_index, const void* x, std::int64_t num_rows, float* y,
                                  bool accumulate, ProductScratch& scratch) const {
  const Panel& panel = state_->panels[static_cast<std::size_t>(panel_index)];
  const std::int64_t row_bytes = state_->i * (state_->bf16() ? 2 : 4);
  AlignedBuffer<float>& tile = scratch.tile();
  tile.resize(kHeights.front() * panel.width);
  for (std::int64_t row = 0; row < num_rows; row += kHeights.front()) {
    const std::int64_t count = std::min(kHeights.front(), num_rows - row);
    const TileTarget target = {*panel.products, panel.byte_offset, tile.data(), panel.width, accumulate};
    float* first = y + row * state_->j + panel.begin;
    if (accumulate) {
      for (std::int64_t r = 0; r < count; ++r) {
        std::copy_n(first + r * state_->j, panel.width, tile.data() + r * panel.width);
      }
    }
    run_tiles(target, static_cast<const char*>(x) + row * row_bytes, count, scratch);
    for (std::int64_t r = 0; r < count; ++r) {
      std::copy_n(tile.data() + r * panel.width, panel.width, first + r * state_->j);
    }
  }
}

void PackedMatrix::multiply(const void* x, std::int64_t num_rows, float* y, bool accumulate,
                            ProductScratch& scratch) const {
  if (state_->products->whole.by_height.back().assign != nullptr) {
    run_tiles({state_->products->whole, 0, y, state_->j, accumulate}, x, num_rows, scratch);
    return;
  }
  for (std::int64_t panel = 0; panel < num_panels(); ++panel) {
    multiply_panel(panel, x, num_rows, y, accumulate, scratch);
  }
}

std::vector<std::int64_t> PackedMatrix::proven_heights() const {
  std::vector<std::int64_t> heights;
  for (std::size_t h = 0; h < kHeights.size(); ++h) {
    if (state_->products->whole.by_height[h].assign != nullptr) {
      heights.push_back(kHeights[h]);
    }
  }
  return heights;
}

std::int64_t PackedMatrix::bytes() const {
  return state_->high.capacity_bytes() + state_->low.capacity_bytes();
}

void accumulate_weight_gradient(const Operand& dy, const Operand& x, std::int64_t begin, std::int64_t end,
                                float* gradient, ProductScratch& scratch) {
  PLUMB_CHECK(dy.rows() == x.rows() && dy.bf16() == x.bf16(), "accumulate_weight_gradient: operands do not match");
  const std::int64_t rows = padded_rows(dy.rows());
  const std::int64_t element_bytes = dy.bf16() ? 2 : 4;
  std::int64_t row = 0;
  for (const std::int64_t chunk : kChunks) {
    for (; row + chunk <= rows; row += chunk) {
      const ProductShape shape = {.m = end - begin,
                                  .n = x.columns(),
                                  .k = chunk,
                                  .a_row_stride = 1,
                                  .a_column_stride = dy.columns(),
                                  .b_row_stride = x.columns(),
                                  .c_row_stride = x.columns(),
                                  .bf16 = dy.bf16(),
                                  .accumulate = true};
      const auto* a = static_cast<const char*>(dy.row(row)) + begin * element_bytes;
      product_for(shape).run(a, x.row(row), gradient + begin * x.columns(), scratch);
    }
  }
}

}  // namespace plumb
