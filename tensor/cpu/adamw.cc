#include "tensor/adamw.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"
#include "core/trace.h"
#include "tensor/lanes.h"

namespace plumb {
namespace {

constexpr std::int64_t kElementsPerTask = 1 << 16;

struct Factors {
  Lanes beta1, beta1_rest, beta2, beta2_rest, scale, epsilon, keep, step_size, inverse_correction2;
};

Factors factors_of(const AdamWStep& s) {
  const double correction1 = 1.0 - std::pow(static_cast<double>(s.beta1), static_cast<double>(s.step));
  const double correction2 = 1.0 - std::pow(static_cast<double>(s.beta2), static_cast<double>(s.step));
  return {.beta1 = Lanes(s.beta1),
          .beta1_rest = Lanes(1.0F - s.beta1),
          .beta2 = Lanes(s.beta2),
          .beta2_rest = Lanes(1.0F - s.beta2),
          .scale = Lanes(s.gradient_scale),
          .epsilon = Lanes(s.epsilon),
          .keep = Lanes(1.0F - s.learning_rate * s.weight_decay),
          .step_size = Lanes(-static_cast<float>(static_cast<double>(s.learning_rate) / correction1)),
          .inverse_correction2 = Lanes(static_cast<float>(1.0 / correction2))};
}

void update_slice(float* value, const float* gradient, float* m, float* v, std::int64_t size, const Factors& f) {
  for_lanes(size, [&](std::int64_t i, std::int64_t count) {
    const Lanes g = Lanes::load_first(gradient + i, count) * f.scale;
    const Lanes first = fma(f.beta1, Lanes::load_first(m + i, count), f.beta1_rest * g);
    const Lanes second = fma(f.beta2, Lanes::load_first(v + i, count), f.beta2_rest * g * g);
    const Lanes step = first / (square_root(second * f.inverse_correction2) + f.epsilon);
    first.store_first(m + i, count);
    second.store_first(v + i, count);
    fma(f.step_size, step, f.keep * Lanes::load_first(value + i, count)).store_first(value + i, count);
  });
}

}  // namespace

void adamw_update(std::span<float> value, std::span<const float> gradient, std::span<float> m, std::span<float> v,
                  const AdamWStep& step, ThreadPool& pool) {
  const auto size = static_cast<std::int64_t>(value.size());
  PLUMB_CHECK(gradient.size() == value.size() && m.size() == value.size() && v.size() == value.size(),
              "adamw_update: lengths differ");
  PLUMB_CHECK(step.step >= 1, "adamw_update: steps count from 1");
  const Factors factors = factors_of(step);
  const std::int64_t num_tasks = (size + kElementsPerTask - 1) / kElementsPerTask;
  pool.parallel_for(num_tasks, [&](std::int64_t task, int) {
    const TraceSpan span("adamw");
    const std::int64_t begin = task * kElementsPerTask;
    const std::int64_t count = std::min(kElementsPerTask, size - begin);
    update_slice(value.data() + begin, gradient.data() + begin, m.data() + begin, v.data() + begin, count, factors);
  });
}

}  // namespace plumb
