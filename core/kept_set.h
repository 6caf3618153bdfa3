#pragma once
// Which tokens truncated sampling (top-k, top-p, min-p, typical) left to draw from, so that the learner's probability
// is of the same distribution as the actor's.

#include <cstdint>
#include <limits>

namespace plumb {

/// The tokens whose raw logit lies in [low, high]; of those that equal `low`, the ones with ids up to `low_last_id`.
/// Refers to the logits of the weights that the token was sampled with, and to no others: bits of logits are the same
/// in actor and learner under the same weights, and differ under others.
struct KeptSet {
  float low = -std::numeric_limits<float>::infinity();
  std::int32_t low_last_id = std::numeric_limits<std::int32_t>::max();
  float high = std::numeric_limits<float>::infinity();

  [[nodiscard]] bool keeps(float logit, std::int64_t id) const {
    return (logit > low || (logit == low && id <= low_last_id)) && logit <= high;
  }
  friend bool operator==(const KeptSet&, const KeptSet&) = default;
};

}  // namespace plumb
