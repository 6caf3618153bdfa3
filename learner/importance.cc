#include "learner/importance.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"

namespace plumb {

std::vector<float> importance_factors(std::span<const float> prox_log_probs, std::span<const float> actor_log_probs,
                                      Importance importance, float cap) {
  PLUMB_CHECK(prox_log_probs.size() == actor_log_probs.size(), "importance_factors: sizes differ");
  const std::size_t count = prox_log_probs.size();
  if (importance == Importance::kNone) {
    return std::vector<float>(count, 1.0F);
  }
  std::vector<double> logs;
  double whole = 0;
  for (std::size_t t = 0; t < count; ++t) {
    logs.push_back(static_cast<double>(prox_log_probs[t]) - static_cast<double>(actor_log_probs[t]));
    whole += logs.back();
  }
  if (importance == Importance::kSequenceTruncate || importance == Importance::kSequenceMask) {
    std::fill(logs.begin(), logs.end(), whole);
  }
  const bool masks = importance == Importance::kTokenMask || importance == Importance::kSequenceMask;
  std::vector<float> factors;
  for (const double log : logs) {
    const double factor = std::exp(log);
    const auto limit = static_cast<double>(cap);
    factors.push_back(static_cast<float>(factor <= limit ? factor : masks ? 0.0 : limit));
  }
  return factors;
}

}  // namespace plumb
