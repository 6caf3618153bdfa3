#include "policy/router_statistics.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"

namespace plumb {
namespace {

// log sum exp, with the probabilities added to `sums` `count` times.
double add_softmax(std::span<const float> logits, double count, std::vector<double>& sums) {
  const auto largest = static_cast<double>(*std::ranges::max_element(logits));
  double mass = 0;
  for (const float logit : logits) {
    mass += std::exp(static_cast<double>(logit) - largest);
  }
  for (std::size_t e = 0; e < logits.size(); ++e) {
    sums[e] += count * std::exp(static_cast<double>(logits[e]) - largest) / mass;
  }
  return largest + std::log(mass);
}

}  // namespace

void RouterTally::add(const RowRoutes& routes, std::span<const float> counts) {
  const std::size_t size = load_.size();
  const std::size_t rows = counts.size();
  PLUMB_CHECK(routes.logits.size() == rows * size, "RouterTally: a count for each row");
  const std::size_t top_k = rows == 0 ? 0 : routes.experts.size() / rows;
  for (std::size_t row = 0; row < rows; ++row) {
    const auto count = static_cast<double>(counts[row]);
    if (count == 0) {
      continue;
    }
    rows_ += count;
    const auto experts = routes.experts.subspan(row * top_k, top_k);
    for (const std::int32_t expert : experts) {
      load_[static_cast<std::size_t>(expert)] += count;
      assignments_ += count;
    }
    for (std::size_t group = 0; group < sent_.size(); ++group) {
      const auto here = [&](std::int32_t expert) {
        return static_cast<std::size_t>(expert) * sent_.size() / size == group;
      };
      sent_[group] += std::ranges::any_of(experts, here) ? count : 0;
    }
    const double log_sum_exp = add_softmax(routes.logits.subspan(row * size, size), count, probability_);
    z_ += count * log_sum_exp * log_sum_exp;
  }
}

RouterStatistics RouterTally::statistics() const {
  const std::size_t size = load_.size();
  RouterStatistics statistics;
  statistics.load.resize(size);
  statistics.probability.resize(size);
  statistics.sent.resize(sent_.size());
  if (rows_ == 0) {
    return statistics;
  }
  statistics.z_loss = z_ / rows_;
  for (std::size_t group = 0; group < sent_.size(); ++group) {
    statistics.sent[group] = sent_[group] / rows_;
  }
  for (std::size_t e = 0; e < size; ++e) {
    const double load = load_[e] / assignments_;
    statistics.load[e] = load;
    statistics.probability[e] = probability_[e] / rows_;
    statistics.load_entropy -= load == 0 ? 0 : load * std::log(load);
    statistics.balance += static_cast<double>(size) * load * statistics.probability[e];
  }
  statistics.load_entropy = size > 1 ? statistics.load_entropy / std::log(static_cast<double>(size)) : 1;
  statistics.max_violation = *std::ranges::max_element(statistics.load) * static_cast<double>(size) - 1;
  return statistics;
}

RouterStatistics router_statistics(const RowRoutes& routes, std::int64_t num_experts, std::span<const float> counts) {
  RouterTally tally(num_experts);
  tally.add(routes, counts);
  return tally.statistics();
}

}  // namespace plumb
