#pragma once
// Products of row tiles over runs of column panels, each used only where a trial gave the bits that define the result.
//
// What defines the bits of x B is a panel of B times a tile of 16 rows of x. A higher tile, or several panels at once,
// is faster; a trial with random numbers shows whether every number has the same bits.

#include <cstdint>
#include <functional>

#include "tensor/cpu/dnnl_product.h"
#include "tensor/linear.h"

namespace plumb::internal {

/// A run of `num_panels` panels side by side, all `panel_columns` wide but perhaps the last, times `height` rows.
struct TileShape {
  std::int64_t rows_i = 0;  // I, the length of the sums
  std::int64_t num_panels = 0;
  std::int64_t panel_columns = 0;
  std::int64_t last_columns = 0;
  std::int64_t height = 0;  // a multiple of kRowTile
  bool bf16 = false;

  [[nodiscard]] std::int64_t columns() const { return (num_panels - 1) * panel_columns + last_columns; }
  auto operator<=>(const TileShape&) const = default;
};

/// y = x B and y += x B for one shape; y is `columns()` wide. Null: no such product has the right bits.
struct TileProducts {
  const Product* assign = nullptr;
  const Product* add = nullptr;
};

/// The products of one panel and 16 rows, which define the bits. Throws dnnl::error where oneDNN has none.
TileProducts defining_products(std::int64_t rows_i, std::int64_t columns, bool bf16);

/// The products of `shape`, proven. The trial is made at the first call for a shape; answers live as long as the
/// program. Thread-safe.
const TileProducts& proven_products(const TileShape& shape);

/// A way to multiply rows of x by one packed panel.
using PanelProduct = std::function<void(const void* x, const unsigned char* weights, const ProductTarget& target)>;

/// Whether `candidate`, multiplying the first `num_rows` (at most kRowTile) rows of random numbers by one panel of
/// `shape`, gives the bits of the defining product, overwriting and adding.
bool gives_defining_bits(const TileShape& shape, std::int64_t num_rows, const PanelProduct& candidate);

/// Bytes of the packed B that a product reads.
std::int64_t packed_bytes(const TileProducts& products);

}  // namespace plumb::internal
