// top-k, top-p and min-p keep the beginning of the order by (logit falling, id rising), so their set is a threshold
// with a tie rule. Typical sampling keeps what is nearest to the entropy in surprisal: an interval of logits. Nearly
// always some dozen tokens matter of some ten thousand, so the order is made in growing pieces, as far as it is asked
// for.

#include "actor/truncation.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "core/check.h"
#include "tensor/kept_logits.h"
#include "tensor/log_softmax.h"
#include "tensor/vector_math.h"

namespace plumb {
namespace {

// Tokens of less than this share of the largest probability are put in order only if the others do not suffice.
constexpr float kLikely = 1e-6F;

class Order {
 public:
  Order(std::span<const float> logits, std::span<const float> weights, std::vector<std::int32_t>& ids)
      : logits_(logits), weights_(weights), ids_(ids) {
    ids_.clear();
    collect(true);
  }

  // The token at place `at` of the order.
  std::int32_t operator[](std::size_t at) {
    while (at >= sorted_) {
      if (sorted_ == ids_.size()) {
        collect(false);
      }
      const std::size_t end = std::min(ids_.size(), std::max<std::size_t>(64, 8 * sorted_));
      const auto before = [this](std::int32_t a, std::int32_t b) {
        const float x = logits_[static_cast<std::size_t>(a)];
        const float y = logits_[static_cast<std::size_t>(b)];
        return x != y ? x > y : a < b;
      };
      const auto begin = ids_.begin() + static_cast<std::ptrdiff_t>(sorted_);
      const auto middle = ids_.begin() + static_cast<std::ptrdiff_t>(end);
      if (middle != ids_.end()) {
        std::nth_element(begin, middle - 1, ids_.end(), before);
      }
      std::sort(begin, middle, before);
      sorted_ = end;
    }
    return ids_[at];
  }

 private:
  void collect(bool likely) {
    for (std::size_t v = 0; v < weights_.size(); ++v) {
      if ((weights_[v] >= kLikely) == likely) {
        ids_.push_back(static_cast<std::int32_t>(v));
      }
    }
  }

  std::span<const float> logits_;
  std::span<const float> weights_;
  std::vector<std::int32_t>& ids_;
  std::size_t sorted_ = 0;
};

// The first `count` of `order` that together have the share `p` of the mass of its first `limit`.
std::size_t count_for_mass(Order& order, std::span<const float> weights, std::size_t limit, double p) {
  double total = 0;
  if (limit == weights.size()) {
    for (const float weight : weights) {
      total += static_cast<double>(weight);
    }
  } else {
    for (std::size_t i = 0; i < limit; ++i) {
      total += static_cast<double>(weights[static_cast<std::size_t>(order[i])]);
    }
  }
  double mass = 0;
  for (std::size_t i = 0; i < limit; ++i) {
    mass += static_cast<double>(weights[static_cast<std::size_t>(order[i])]);
    if (mass >= p * total) {
      return i + 1;
    }
  }
  return limit;
}

struct Candidate {
  double deviation;  // of the surprisal from the entropy
  std::int32_t id;
};

// The interval that the candidates of least deviation span which together have `mass`; nothing where they have less, or
// where one that is no candidate may deviate less than the last of them (`unknown_beyond`).
std::optional<KeptSet> nearest(std::vector<Candidate>& candidates, std::span<const float> logits,
                               std::span<const float> weights, double mass, double unknown_beyond) {
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.deviation < b.deviation; });
  KeptSet kept{std::numeric_limits<float>::infinity(), std::numeric_limits<std::int32_t>::max(),
               -std::numeric_limits<float>::infinity(), {}};
  double sum = 0;
  for (const Candidate& candidate : candidates) {
    if (candidate.deviation >= unknown_beyond) {
      return std::nullopt;
    }
    const float logit = logits[static_cast<std::size_t>(candidate.id)];
    kept.low = std::min(kept.low, logit);
    kept.high = std::max(kept.high, logit);
    sum += static_cast<double>(weights[static_cast<std::size_t>(candidate.id)]);
    if (sum >= mass) {
      return kept;
    }
  }
  return std::nullopt;
}

// Of the first `count` tokens, those nearest in surprisal to the entropy that together have the share `p`.
KeptSet typical(std::span<const float> logits, Order& order, std::span<const float> weights, std::size_t count,
                double p) {
  std::vector<std::int32_t> ids;
  if (count == weights.size()) {
    ids.resize(count);
    std::iota(ids.begin(), ids.end(), 0);
  } else {
    for (std::size_t i = 0; i < count; ++i) {
      ids.push_back(order[i]);
    }
  }
  double total = 0;
  double moment = 0;
  for (const std::int32_t id : ids) {
    const auto weight = static_cast<double>(weights[static_cast<std::size_t>(id)]);
    total += weight;
    moment += weight > 0 ? weight * std::log(weight) : 0;
  }
  const double mean = moment / total;  // of log weight; surprisal - entropy = mean - log weight
  const auto deviation_of = [&](float weight) { return std::abs(mean - std::log(static_cast<double>(weight))); };
  // First among the likely ones alone: the others lie far below the mean, at least as far as the least likely of them.
  for (const float least : {kLikely, std::numeric_limits<float>::min()}) {
    std::vector<Candidate> candidates;
    for (const std::int32_t id : ids) {
      const float weight = weights[static_cast<std::size_t>(id)];
      if (weight >= least) {
        candidates.push_back({deviation_of(weight), id});
      }
    }
    const bool all = least < kLikely;
    const bool below = mean > std::log(static_cast<double>(least));
    const double unknown_beyond = all ? std::numeric_limits<double>::infinity() : below ? deviation_of(least) : 0;
    if (const auto kept = nearest(candidates, logits, weights, p * total * (1 - 1e-12), unknown_beyond)) {
      return *kept;
    }
  }
  return {};  // rounding left the sum below the mass: everything
}

}  // namespace

KeptSet truncate(std::span<const float> logits, const SamplingOptions& options, SamplingScratch& scratch) {
  PLUMB_CHECK(options.temperature > 0 && !logits.empty(), "truncate: no logits or no temperature");
  const float inverse_temperature = 1.0F / options.temperature;
  const float max = *std::max_element(logits.begin(), logits.end()) * inverse_temperature;
  std::vector<float>& weights = scratch.weights;
  weights.resize(logits.size());
  for_lanes(static_cast<std::int64_t>(logits.size()), [&](std::int64_t v, std::int64_t count) {
    const Lanes z = Lanes::load_first(logits.data() + v, count) * Lanes(inverse_temperature);
    exp_approx(z - Lanes(max)).store_first(weights.data() + v, count);
  });
  Order order(logits, weights, scratch.order);
  std::size_t count = logits.size();
  if (options.top_k > 0) {
    count = std::min(count, static_cast<std::size_t>(options.top_k));
  }
  if (options.top_p < 1.0F) {
    count = count_for_mass(order, weights, count, static_cast<double>(options.top_p));
  }
  if (options.min_p > 0.0F) {
    const auto enough = std::count_if(weights.begin(), weights.end(), [&](float w) { return w >= options.min_p; });
    count = std::clamp<std::size_t>(static_cast<std::size_t>(enough), 1, count);
  }
  KeptSet kept;
  if (count < logits.size()) {
    kept.low_last_id = order[count - 1];
    kept.low = logits[static_cast<std::size_t>(kept.low_last_id)];
  }
  if (options.typical_p < 1.0F) {
    const KeptSet near = typical(logits, order, weights, count, static_cast<double>(options.typical_p));
    kept.high = near.high;
    if (near.low > kept.low) {
      kept.low = near.low;
      kept.low_last_id = near.low_last_id;
    }
  }
  return kept;
}

}  // namespace plumb
