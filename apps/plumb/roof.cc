#include "apps/plumb/roof.h"

#include <algorithm>
#include <chrono>
#include <vector>

#include "policy/model_layout.h"
#include "tensor/linear.h"

namespace plumb {
namespace {

constexpr std::int64_t kSide = 1024;
constexpr double kSeconds = 0.1;
constexpr std::int64_t kPanelUnit = 64;  // columns

}  // namespace

double quick_roof_gflops(ComputeDtype dtype, ThreadPool& pool) {
  using Clock = std::chrono::steady_clock;
  const ComputeDtype product = dtype == ComputeDtype::kF32 ? ComputeDtype::kF32 : ComputeDtype::kBf16;
  const std::int64_t width = std::max(kPanelUnit, kSide / pool.num_threads() / kPanelUnit * kPanelUnit);
  std::vector<ProductScratch> scratch(static_cast<std::size_t>(pool.num_threads()));
  const std::vector<float> ones(static_cast<std::size_t>(kSide * kSide), 1.0F);
  Operand x(product);
  x.resize(kSide, kSide);
  for (std::int64_t row = 0; row < kSide; ++row) {
    x.store_row(row, ones.data());
  }
  PackedMatrix matrix(kSide, kSide, product, width);
  std::vector<AlignedBuffer<float>> results;
  for (std::int64_t panel = 0; panel < matrix.num_panels(); ++panel) {
    matrix.pack_panel(panel, ones.data(), kSide, 1, scratch[0]);
    results.emplace_back(kSide * matrix.panel_width(panel));
  }
  double best_s = 1e30;
  const auto start = Clock::now();
  do {
    const auto before = Clock::now();
    pool.parallel_for(matrix.num_panels(), [&](std::int64_t panel, int worker) {
      matrix.multiply_panel_alone(panel, x.row(0), kSide, results[static_cast<std::size_t>(panel)].data(),
                                  scratch[static_cast<std::size_t>(worker)]);
    });
    best_s = std::min(best_s, std::chrono::duration<double>(Clock::now() - before).count());
  } while (std::chrono::duration<double>(Clock::now() - start).count() < kSeconds);
  constexpr auto kFlop = 2.0 * static_cast<double>(kSide) * static_cast<double>(kSide) * static_cast<double>(kSide);
  return kFlop / best_s * 1e-9;
}

double forward_flop_per_token(const Hyperparameters& shape) {
  // A table that is only looked up multiplies nothing; a tied one is the head's matrix.
  const std::int64_t looked_up = shape.tie_embeddings ? 0 : shape.vocab_size * shape.hidden_size;
  return 2.0 * static_cast<double>(count_parameters(shape).active - looked_up);
}

double head_flop_per_token(const Hyperparameters& shape) {
  return 2.0 * static_cast<double>(shape.vocab_size * shape.hidden_size);
}

}  // namespace plumb
