#include "bench/roofline.h"

#include <algorithm>
#include <array>
#include <exception>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "bench/plain_product.h"

namespace plumb {
namespace {

constexpr std::array<PlainShape, 4> kShapes = {
    {{1024, 1024, 1024}, {2048, 2048, 2048}, {4096, 4096, 4096}, {2048, 1536, 576}}};
constexpr double kSecondsEach = 0.3;

// GFLOP/s of the fastest of as many runs as fit into kSecondsEach (two at least).
template <typename Run>
double best_gflops(const PlainShape& shape, Run run) {
  run();
  double best_s = std::numeric_limits<double>::infinity();
  const double until = now_s() + kSecondsEach;
  do {
    const double start = now_s();
    run();
    best_s = std::min(best_s, now_s() - start);
  } while (now_s() < until);
  return shape.flop() / best_s * 1e-9;
}

struct Rates {
  double library_threads = 0;  // oneDNN's own threads
  double split_columns = 0;    // one thread of ours for each share of the columns
  bool right = true;
};

Rates measure(const PlainShape& shape, bool bf16, ThreadPool& pool) {
  Rates rates;
  {
    PlainProduct product(shape, bf16);
    // On a thread of its own, whose OpenMP setting and idle helpers are nobody else's.
    std::thread caller([&] { rates.library_threads = best_gflops(shape, [&] { product.run(pool.num_threads()); }); });
    caller.join();
    rates.right = product.right();
  }
  std::vector<PlainProduct> shares;
  const std::int64_t threads = pool.num_threads();
  for (std::int64_t t = 0; t < threads; ++t) {
    const std::int64_t columns = (t + 1) * shape.n / threads - t * shape.n / threads;
    shares.emplace_back(PlainShape{shape.m, columns, shape.k}, bf16);
  }
  rates.split_columns = best_gflops(shape, [&] {
    pool.parallel_for(threads, [&](std::int64_t t, int) { shares[static_cast<std::size_t>(t)].run(1); });
  });
  rates.right = rates.right && shares[0].right();
  return rates;
}

// The best rate in one number format; every shape goes into `details`.
Result<double> best_rate(bool bf16, ThreadPool& pool, nlohmann::json& details) {
  double best = 0;
  for (const PlainShape& shape : kShapes) {
    const std::string name = std::to_string(shape.m) + "x" + std::to_string(shape.n) + "x" + std::to_string(shape.k);
    const Rates rates = measure(shape, bf16, pool);
    if (!rates.right) {
      return Error{"bench roofline: oneDNN's " + std::string(bf16 ? "bf16" : "f32") + " product of " + name +
                   " has wrong numbers; do not trust this library on this machine"};
    }
    details[name] = {{"library_threads", rates.library_threads}, {"split_columns", rates.split_columns}};
    best = std::max({best, rates.library_threads, rates.split_columns});
  }
  return best;
}

}  // namespace

Result<BenchResult> bench_roofline(ComputeDtype dtype, ThreadPool& pool) {
  const double start = now_s();
  BenchResult result;
  result.name = "roofline";
  result.threads = pool.num_threads();
  result.dtype = dtype;
  nlohmann::json& shapes = result.details["gflops_by_shape"];
  try {
    PLUMB_ASSIGN(result.roof_gflops, best_rate(false, pool, shapes["f32"]));
    result.details["f32_gflops"] = result.roof_gflops;
  } catch (const std::exception& error) {
    return Error{std::string("bench roofline: oneDNN fails at f32 products: ") + error.what()};
  }
  if (dtype != ComputeDtype::kF32) {
    try {
      PLUMB_ASSIGN(const double bf16, best_rate(true, pool, shapes["bf16"]));
      result.details["bf16_gflops"] = bf16;
      result.roof_gflops = std::max(result.roof_gflops, dtype == ComputeDtype::kBf16Split ? bf16 / 2 : bf16);
    } catch (const std::exception& error) {
      result.details["bf16_absent"] = error.what();
    }
  }
  result.checked = "a row of every product has the right numbers";
  result.seconds = now_s() - start;
  result.flop = result.roof_gflops * 1e9 * result.seconds;
  return result;
}

Result<BenchResult> beside_roofline(ComputeDtype dtype, ThreadPool& pool,
                                    const std::function<Result<BenchResult>()>& load) {
  PLUMB_ASSIGN(const BenchResult before, bench_roofline(dtype, pool));
  PLUMB_ASSIGN(BenchResult result, load());
  PLUMB_ASSIGN(const BenchResult after, bench_roofline(dtype, pool));
  result.roof_gflops = std::max(before.roof_gflops, after.roof_gflops);
  result.details["roof_gflops_before"] = before.roof_gflops;
  result.details["roof_gflops_after"] = after.roof_gflops;
  return result;
}

}  // namespace plumb
