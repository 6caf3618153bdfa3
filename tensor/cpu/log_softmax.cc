#include "tensor/log_softmax.h"

#include <algorithm>
#include <limits>

#include "core/check.h"
#include "tensor/vector_math.h"

namespace plumb {
namespace {

// Sums of exp(z - max) and of exp(z - max) * (z - max) over one block.
struct BlockSums {
  float mass = 0;
  float moment = 0;
};

BlockSums sum_block(const float* logits, std::int64_t size, Lanes inverse_temperature, Lanes max_z) {
  Lanes mass;
  Lanes moment;
  for_lanes(size, [&](std::int64_t v, std::int64_t count) {
    const Lanes shifted = Lanes::load_first(logits + v, count) * inverse_temperature - max_z;
    const Lanes weight = exp_approx(shifted).keep_first(count, 0.0F);
    mass = mass + weight;
    moment = fma(weight, shifted, moment);
  });
  return {sum_of(mass), sum_of(moment)};
}

}  // namespace

LogitStats logit_stats(std::span<const float> logits, float inverse_temperature, std::vector<float>* block_sums) {
  PLUMB_CHECK(!logits.empty(), "logit_stats: no logits");
  const auto size_v = static_cast<std::int64_t>(logits.size());
  const Lanes scale(inverse_temperature);
  constexpr float kLowest = -std::numeric_limits<float>::infinity();
  Lanes largest(kLowest);
  for_lanes(size_v, [&](std::int64_t v, std::int64_t count) {
    const Lanes z = Lanes::load_first(logits.data() + v, count) * scale;
    largest = max(largest, z.keep_first(count, kLowest));
  });
  LogitStats stats;
  stats.max = largest_of(largest);
  if (block_sums != nullptr) {
    block_sums->clear();
  }
  double mass = 0;
  double moment = 0;
  for (std::int64_t begin = 0; begin < size_v; begin += kLogitBlock) {
    const BlockSums block =
        sum_block(logits.data() + begin, std::min(kLogitBlock, size_v - begin), scale, Lanes(stats.max));
    mass += static_cast<double>(block.mass);
    moment += static_cast<double>(block.moment);
    if (block_sums != nullptr) {
      block_sums->push_back(block.mass);
    }
  }
  const float log_mass = log_approx(static_cast<float>(mass));
  stats.log_sum_exp = stats.max + log_mass;
  stats.entropy = log_mass - static_cast<float>(moment / mass);
  return stats;
}

void softmax_backward(std::span<const float> logits, float inverse_temperature, const LogitStats& stats, float weight,
                      float* d_logits) {
  const Lanes scale(inverse_temperature);
  const Lanes factor(-weight * inverse_temperature);
  const Lanes log_sum_exp(stats.log_sum_exp);
  for_lanes(static_cast<std::int64_t>(logits.size()), [&](std::int64_t v, std::int64_t count) {
    const Lanes z = Lanes::load_first(logits.data() + v, count) * scale;
    (factor * exp_approx(z - log_sum_exp)).store_first(d_logits + v, count);
  });
}

}  // namespace plumb
