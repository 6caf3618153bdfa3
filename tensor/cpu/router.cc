#include "tensor/router.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/check.h"
#include "tensor/vector_math.h"

namespace plumb {
namespace {

// The best `count` of `values`, best first, equal ones by index; those where `open` says no are left out. `count` is
// small.
template <typename Open, typename Visit>
void for_best(std::span<const float> values, std::int64_t count, Open open, Visit visit) {
  for (std::int64_t i = 0; i < count; ++i) {
    std::size_t best = values.size();
    for (std::size_t at = 0; at < values.size(); ++at) {
      if (open(at) && (best == values.size() || values[at] > values[best])) {
        best = at;
      }
    }
    PLUMB_CHECK(best < values.size(), "choose_experts: fewer experts than a row needs");
    visit(static_cast<std::int64_t>(best));
  }
}

// Marks the experts of the groups whose best one is among the best.
void open_groups(const RouterShape& shape, std::span<const float> probabilities, std::vector<char>& open) {
  const auto size = static_cast<std::size_t>(shape.num_experts / shape.num_groups);
  std::vector<float> best;
  for (std::size_t group = 0; group < static_cast<std::size_t>(shape.num_groups); ++group) {
    best.push_back(*std::ranges::max_element(probabilities.subspan(group * size, size)));
  }
  std::vector<char> chosen(best.size(), 0);
  for_best(
      best, shape.top_groups, [&](std::size_t at) { return chosen[at] == 0; },
      [&](std::int64_t group) {
        chosen[static_cast<std::size_t>(group)] = 1;
        std::fill_n(open.begin() + group * static_cast<std::int64_t>(size), size, 1);
      });
}

}  // namespace

void router_logits(const float* x, const float* weight, std::int64_t size_d, std::span<float> logits) {
  for (std::size_t e = 0; e < logits.size(); ++e) {
    logits[e] = dot(x, weight + static_cast<std::int64_t>(e) * size_d, size_d);
  }
}

void router_probabilities(std::span<const float> logits, std::span<float> probabilities) {
  const auto size = static_cast<std::int64_t>(logits.size());
  const Lanes largest(*std::ranges::max_element(logits));
  Lanes mass;
  for_lanes(size, [&](std::int64_t e, std::int64_t count) {
    const Lanes weight = exp_approx(Lanes::load_first(logits.data() + e, count) - largest).keep_first(count, 0.0F);
    mass = mass + weight;
    weight.store_first(probabilities.data() + e, count);
  });
  const Lanes inverse(1.0F / sum_of(mass));
  for_lanes(size, [&](std::int64_t e, std::int64_t count) {
    (Lanes::load_first(probabilities.data() + e, count) * inverse).store_first(probabilities.data() + e, count);
  });
}

void choose_experts(const RouterShape& shape, std::span<const float> probabilities, std::int32_t* experts,
                    float* weights) {
  const bool grouped = shape.num_groups > 1;
  std::vector<char> open(probabilities.size(), grouped ? 0 : 1);
  if (grouped) {
    open_groups(shape, probabilities, open);
  }
  std::int64_t slot = 0;
  float sum = 0;
  for_best(
      probabilities, shape.top_k, [&](std::size_t at) { return open[at] != 0; },
      [&](std::int64_t expert) {
        const auto at = static_cast<std::size_t>(expert);
        open[at] = 0;
        experts[slot] = static_cast<std::int32_t>(expert);
        weights[slot] = probabilities[at];
        sum += probabilities[at];
        ++slot;
      });
  for (std::int64_t i = 0; i < shape.top_k; ++i) {
    weights[i] = shape.normalise ? weights[i] / sum : weights[i] * shape.scaling;
  }
}

void router_backward(const RouterShape& shape, std::span<const float> probabilities, const std::int32_t* experts,
                     const float* weights, const float* d_weights, std::span<float> d_probabilities,
                     std::span<float> d_logits) {
  float sum = 0;
  float along = 0;
  for (std::int64_t i = 0; i < shape.top_k; ++i) {
    sum += probabilities[static_cast<std::size_t>(experts[i])];
    along = std::fma(d_weights[i], weights[i], along);
  }
  for (std::int64_t i = 0; i < shape.top_k; ++i) {
    d_probabilities[static_cast<std::size_t>(experts[i])] +=
        shape.normalise ? (d_weights[i] - along) / sum : d_weights[i] * shape.scaling;
  }
  const Lanes mean(dot(probabilities.data(), d_probabilities.data(), shape.num_experts));
  for_lanes(shape.num_experts, [&](std::int64_t e, std::int64_t count) {
    const Lanes slope = Lanes::load_first(d_probabilities.data() + e, count) - mean;
    (Lanes::load_first(probabilities.data() + e, count) * slope).store_first(d_logits.data() + e, count);
  });
}

}  // namespace plumb
