#include "actor/sampling.h"

#include <algorithm>

#include "core/check.h"
#include "tensor/log_softmax.h"
#include "tensor/vector_math.h"

namespace plumb {
namespace {

std::int32_t argmax(std::span<const float> logits) {
  return static_cast<std::int32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

// The first index whose running sum of exp(logit * inverse_temperature - max) exceeds `mass`. Whole blocks are skipped
// by their sums; rounding can leave `mass` at or above the total, and then the last token with any mass is taken.
std::int32_t invert_cumulative(std::span<const float> logits, float inverse_temperature, float max, float mass,
                               const std::vector<float>& block_sums) {
  std::size_t block = 0;
  while (block + 1 < block_sums.size() && mass >= block_sums[block]) {
    mass -= block_sums[block];
    ++block;
  }
  const std::size_t begin = block * static_cast<std::size_t>(kLogitBlock);
  const std::size_t end = std::min(begin + static_cast<std::size_t>(kLogitBlock), logits.size());
  std::size_t last_with_mass = begin;
  for (std::size_t i = begin; i < end; ++i) {
    const float weight = exp_approx(logits[i] * inverse_temperature - max);
    if (weight > 0) {
      last_with_mass = i;
    }
    if (mass < weight) {
      return static_cast<std::int32_t>(i);
    }
    mass -= weight;
  }
  return static_cast<std::int32_t>(last_with_mass);
}

}  // namespace

SampledToken sample_token(std::span<const float> logits, float temperature, const RngStream& stream,
                          std::uint32_t position, std::vector<float>& scratch) {
  PLUMB_CHECK(!logits.empty() && temperature >= 0, "sample_token: no logits or a negative temperature");
  const bool greedy = temperature == 0;
  const float inverse_temperature = greedy ? 1.0F : 1.0F / temperature;
  const LogitStats stats = logit_stats(logits, inverse_temperature, &scratch);
  std::int32_t id = 0;
  if (greedy) {
    id = argmax(logits);
  } else {
    float total = 0;
    for (const float sum : scratch) {
      total += sum;
    }
    id = invert_cumulative(logits, inverse_temperature, stats.max, stream.uniform(position) * total, scratch);
  }
  return {id, log_prob_of(logits[static_cast<std::size_t>(id)], inverse_temperature, stats)};
}

}  // namespace plumb
