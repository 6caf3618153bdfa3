#include "tensor/adamw.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "bench/copy_loop.h"
#include "bench/load.h"
#include "core/trace.h"
#include "tensor/buffer.h"

namespace plumb {
namespace {

constexpr int kStreams = 7;  // value, m and v are read and written, the gradient is read

struct Arrays {
  explicit Arrays(std::int64_t size) : all(4 * size), count(size) {}
  [[nodiscard]] std::span<float> array(std::int64_t index) {
    return all.span().subspan(static_cast<std::size_t>(index * count), static_cast<std::size_t>(count));
  }

  AlignedBuffer<float> all;  // one block, so that the copy has the same pages
  std::int64_t count;
};

void fill(Arrays& arrays, ThreadPool& pool) {
  constexpr std::int64_t kPiece = 1 << 16;
  const std::int64_t size = arrays.all.size();
  pool.parallel_for((size + kPiece - 1) / kPiece, [&](std::int64_t index, int) {
    for (std::int64_t i = index * kPiece; i < std::min(size, (index + 1) * kPiece); ++i) {
      arrays.all.data()[i] = 1e-3F * static_cast<float>(1 + i % 97);
    }
  });
}

// The first update of element `i`, in double.
double expected_value(const AdamWStep& s, double value, double gradient, double m, double v) {
  m = static_cast<double>(s.beta1) * m + (1.0 - static_cast<double>(s.beta1)) * gradient;
  v = static_cast<double>(s.beta2) * v + (1.0 - static_cast<double>(s.beta2)) * gradient * gradient;
  const double m_hat = m / (1.0 - std::pow(static_cast<double>(s.beta1), static_cast<double>(s.step)));
  const double v_hat = v / (1.0 - std::pow(static_cast<double>(s.beta2), static_cast<double>(s.step)));
  const double decay = static_cast<double>(s.weight_decay) * value;
  return value - static_cast<double>(s.learning_rate) * (decay + m_hat / (std::sqrt(v_hat) + 1e-8));
}

// Seconds to copy as many bytes as an update moves: half of all floats, and then three quarters of that again.
double seconds_of_copies(Arrays& arrays, int repetitions, ThreadPool& pool) {
  const auto half = static_cast<std::size_t>(2 * arrays.count);
  const auto rest = static_cast<std::size_t>(arrays.count * (kStreams - 4) / 2);
  const std::span<float> all = arrays.all.span();
  return copy_seconds(all.first(half), all.last(half), repetitions, pool) +
         copy_seconds(all.first(rest), all.subspan(half, rest), repetitions, pool);
}

}  // namespace

Result<BenchResult> bench_adamw(ThreadPool& pool, const AdamWLoad& load) {
  Arrays arrays(load.num_parameters);
  fill(arrays, pool);
  const AdamWStep step = {.learning_rate = 1e-4F, .weight_decay = 0.1F, .step = 3, .gradient_scale = 1};
  const std::int64_t at = load.num_parameters / 2 + 3;
  const auto number = [&](std::int64_t array) {
    return static_cast<double>(arrays.array(array)[static_cast<std::size_t>(at)]);
  };
  const double expected = expected_value(step, number(0), number(1), number(2), number(3));
  const auto update = [&] {
    adamw_update(arrays.array(0), arrays.array(1), arrays.array(2), arrays.array(3), step, pool);
  };
  update();
  if (!(std::abs(number(0) - expected) <= 1e-6 * std::abs(expected))) {
    return Error{"bench adamw: an update differs from the definition in double precision"};
  }
  restart_trace();
  BenchResult result;
  result.name = "adamw";
  result.seconds = std::numeric_limits<double>::infinity();
  double copy = std::numeric_limits<double>::infinity();
  for (int repetition = 0; repetition < load.repetitions; ++repetition) {  // by turns, so that both see the same load
    const double start = now_s();
    update();
    result.seconds = std::min(result.seconds, now_s() - start);
    copy = std::min(copy, seconds_of_copies(arrays, 1, pool));
  }
  const double bytes = 4.0 * kStreams * static_cast<double>(load.num_parameters);
  result.checked = "an updated value equals the definition in double precision";
  result.threads = pool.num_threads();
  result.details = {{"parameters", load.num_parameters},
                    {"bytes_moved", bytes},
                    {"gb_per_second", bytes / result.seconds * 1e-9},
                    {"copy_loop_seconds", copy},
                    {"times_copy_loop", result.seconds / copy}};
  return result;
}

}  // namespace plumb
