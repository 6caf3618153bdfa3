#include "tensor/cpu/proven_products.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <mutex>
#include <vector>

#include "core/rng.h"
#include "tensor/operand.h"

namespace plumb::internal {
namespace {

// oneDNN takes its blocked kernels only where rows are contiguous, so a result is always `columns` wide.
TileProducts products_of(std::int64_t height, std::int64_t columns, std::int64_t rows_i, bool bf16) {
  ProductShape shape = {
      .m = height, .n = columns, .k = rows_i, .a_row_stride = rows_i, .c_row_stride = columns, .bf16 = bf16};
  TileProducts products;
  products.assign = &product_for(shape);
  shape.accumulate = true;
  products.add = &product_for(shape);
  return products;
}

// Numbers for a trial: x, and packed weights (any bits of this size are weights in some order).
struct Trial {
  Trial(const TileShape& shape, std::int64_t weight_bytes);

  std::vector<float> x;        // [height, I], as bf16 where the shape says so
  std::vector<float> weights;  // packed
};

float trial_number(const RngStream& random, std::uint32_t position) {
  return random.uniform(position) - 0.5F;
}

void fill(std::vector<float>& numbers, const RngStream& random, bool bf16) {
  std::vector<float> pool(4099);
  for (std::size_t p = 0; p < pool.size(); ++p) {
    pool[p] = trial_number(random, static_cast<std::uint32_t>(p));
  }
  auto* halves = static_cast<Bfloat16*>(static_cast<void*>(numbers.data()));
  for (std::size_t e = 0; e < numbers.size(); ++e) {
    // A prime length and a stride that grows: no two rows of a matrix are the same.
    const float value = pool[(e + e / pool.size() * 31) % pool.size()];
    if (bf16) {
      halves[2 * e] = to_bfloat16(value);
      halves[2 * e + 1] = to_bfloat16(pool[(7 * e + 3) % pool.size()]);
    } else {
      numbers[e] = value;
    }
  }
}

Trial::Trial(const TileShape& shape, std::int64_t weight_bytes) {
  const std::int64_t x_numbers = shape.height * shape.rows_i;
  x.resize(static_cast<std::size_t>(shape.bf16 ? (x_numbers + 1) / 2 : x_numbers));
  weights.resize(static_cast<std::size_t>((weight_bytes + 3) / 4));
  fill(x, RngStream(RngPurpose::kInit, 0x7269616CU, 0), shape.bf16);
  fill(weights, RngStream(RngPurpose::kInit, 0x7269616CU, 1), shape.bf16);
}

constexpr float kBefore = 0.25F;  // what a y holds before the product

// y [height, columns] panel by panel and 16 rows at a time.
std::vector<float> defining_result(const TileShape& shape, const Trial& trial, bool accumulate) {
  std::vector<float> y(static_cast<std::size_t>(shape.height * shape.columns()));
  ProductScratch scratch;
  const auto* weights = static_cast<const char*>(static_cast<const void*>(trial.weights.data()));
  const auto* x = static_cast<const char*>(static_cast<const void*>(trial.x.data()));
  const std::int64_t row_bytes = shape.rows_i * (shape.bf16 ? 2 : 4);
  for (std::int64_t panel = 0; panel < shape.num_panels; ++panel) {
    const std::int64_t columns = panel + 1 < shape.num_panels ? shape.panel_columns : shape.last_columns;
    const TileProducts products = defining_products(shape.rows_i, columns, shape.bf16);
    std::vector<float> tile(static_cast<std::size_t>(kRowTile * columns));
    for (std::int64_t row = 0; row < shape.height; row += kRowTile) {
      std::fill(tile.begin(), tile.end(), kBefore);
      (accumulate ? products.add : products.assign)->run(x + row * row_bytes, weights, tile.data(), scratch);
      for (std::int64_t r = 0; r < kRowTile; ++r) {
        std::copy_n(tile.data() + r * columns, columns,
                    y.data() + (row + r) * shape.columns() + panel * shape.panel_columns);
      }
    }
    weights += packed_bytes(products);
  }
  return y;
}

bool same_bits(const TileShape& shape, const Trial& trial, const TileProducts& candidate, bool accumulate) {
  const std::vector<float> expected = defining_result(shape, trial, accumulate);
  std::vector<float> found(expected.size(), kBefore);
  ProductScratch scratch;
  (accumulate ? candidate.add : candidate.assign)->run(trial.x.data(), trial.weights.data(), found.data(), scratch);
  return std::memcmp(expected.data(), found.data(), found.size() * sizeof(float)) == 0;
}

TileProducts prove(const TileShape& shape) {
  std::int64_t weight_bytes = 0;
  for (std::int64_t panel = 0; panel < shape.num_panels; ++panel) {
    const std::int64_t columns = panel + 1 < shape.num_panels ? shape.panel_columns : shape.last_columns;
    weight_bytes += packed_bytes(defining_products(shape.rows_i, columns, shape.bf16));
  }
  const TileProducts candidate = products_of(shape.height, shape.columns(), shape.rows_i, shape.bf16);
  if (packed_bytes(candidate) != weight_bytes || candidate.add->packed_desc() != candidate.assign->packed_desc()) {
    return {};
  }
  const Trial trial(shape, weight_bytes);
  return same_bits(shape, trial, candidate, false) && same_bits(shape, trial, candidate, true) ? candidate
                                                                                               : TileProducts{};
}

}  // namespace

TileProducts defining_products(std::int64_t rows_i, std::int64_t columns, bool bf16) {
  return products_of(kRowTile, columns, rows_i, bf16);
}

const TileProducts& proven_products(const TileShape& shape) {
  static std::mutex mutex;
  static std::map<TileShape, TileProducts> known;
  const std::lock_guard lock(mutex);
  const auto found = known.find(shape);
  return found != known.end() ? found->second : known.emplace(shape, prove(shape)).first->second;
}

bool gives_defining_bits(const TileShape& shape, std::int64_t num_rows, const PanelProduct& candidate) {
  const Trial trial(shape, packed_bytes(defining_products(shape.rows_i, shape.columns(), shape.bf16)));
  const auto* weights = static_cast<const unsigned char*>(static_cast<const void*>(trial.weights.data()));
  for (const bool accumulate : {false, true}) {
    const std::vector<float> expected = defining_result(shape, trial, accumulate);
    std::vector<float> found(expected.size(), kBefore);
    candidate(trial.x.data(), weights, {.y = found.data(), .row_stride = shape.columns(), .accumulate = accumulate});
    const auto numbers = static_cast<std::size_t>(num_rows * shape.columns());
    if (std::memcmp(expected.data(), found.data(), numbers * sizeof(float)) != 0) {
      return false;
    }
  }
  return true;
}

std::int64_t packed_bytes(const TileProducts& products) {
  return static_cast<std::int64_t>(products.assign->packed_desc().get_size());
}

}  // namespace plumb::internal
