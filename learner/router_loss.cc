#include "learner/router_loss.h"

#include <algorithm>
#include <string>

namespace plumb {
namespace {

// sum over the group of expert e, of D groups side by side.
double group_sum(const std::vector<double>& values, std::size_t expert, std::int64_t groups) {
  const std::size_t size = values.size() / static_cast<std::size_t>(groups);
  const std::size_t begin = expert / size * size;
  double sum = 0;
  for (std::size_t e = begin; e < begin + size; ++e) {
    sum += values[e];
  }
  return sum;
}

}  // namespace

Result<void> check_router_loss(const RouterLossOptions& options, const ModelConfig& config) {
  if (options.any() && config.moe.num_experts == 0) {
    return Error{
        "router_balance, router_device_balance, router_communication_balance, router_z: the model has no "
        "experts; set them to 0"};
  }
  if ((options.device_balance != 0 || options.communication_balance != 0) &&
      config.moe.num_experts % options.devices != 0) {
    return Error{"router_devices: " + std::to_string(config.moe.num_experts) + " experts do not share out over " +
                 std::to_string(options.devices) + " devices"};
  }
  return {};
}

RouterTallies::RouterTallies(const ModelConfig& config, std::int64_t devices)
    : num_layers_(config.num_layers), num_experts_(config.moe.num_experts), devices_(devices) {
  // A router that is limited to some groups of experts goes to no more devices where these are the groups.
  const bool limited = config.moe.num_groups == devices && config.moe.top_groups > 0;
  groups_of_a_row_ = static_cast<double>(
      std::max<std::int64_t>(1, limited ? config.moe.top_groups : std::min(devices, config.moe.top_k)));
  for (std::int64_t layer = 0; layer < config.num_layers; ++layer) {
    if (config.is_sparse(layer)) {
      sparse_layers_.push_back(layer);
      tallies_.emplace_back(num_experts_, devices);
    }
  }
}

void RouterTallies::add(const Policy& policy, const ForwardTape& tape, std::span<const float> row_counts) {
  for (std::size_t i = 0; i < sparse_layers_.size(); ++i) {
    tallies_[i].add(policy.row_routes(tape, sparse_layers_[i]), row_counts);
  }
}

RouterSummary RouterTallies::summary() const {
  RouterSummary summary;
  const auto layers = static_cast<double>(tallies_.size());
  for (const RouterTally& tally : tallies_) {
    const RouterStatistics statistics = tally.statistics();
    summary.has_experts = true;
    summary.load_entropy += statistics.load_entropy / layers;
    summary.max_violation = std::max(summary.max_violation, statistics.max_violation);
    summary.z_loss += statistics.z_loss / layers;
    summary.balance += statistics.balance / layers;
  }
  return summary;
}

// What the losses over groups multiply an expert's probability with.
double RouterTallies::by_group(const RouterStatistics& statistics, std::size_t expert,
                               const RouterLossOptions& options) const {
  const auto devices = static_cast<double>(devices_);
  const std::size_t group = expert * statistics.sent.size() / statistics.load.size();
  return static_cast<double>(options.device_balance) * devices * group_sum(statistics.load, expert, devices_) +
         static_cast<double>(options.communication_balance) * devices / groups_of_a_row_ * statistics.sent[group];
}

double RouterTallies::loss(const RouterLossOptions& options) const {
  double loss = 0;
  for (const RouterTally& tally : tallies_) {
    const RouterStatistics statistics = tally.statistics();
    loss +=
        static_cast<double>(options.balance) * statistics.balance + static_cast<double>(options.z) * statistics.z_loss;
    for (std::size_t e = 0; e < statistics.load.size(); ++e) {
      loss += by_group(statistics, e, options) * statistics.probability[e];
    }
  }
  return tallies_.empty() ? 0 : loss / static_cast<double>(tallies_.size());
}

RouterGradient RouterTallies::gradient(const RouterLossOptions& options) const {
  RouterGradient gradient;
  gradient.by_probability.resize(static_cast<std::size_t>(num_layers_));
  const auto layers = static_cast<double>(std::max<std::size_t>(tallies_.size(), 1));
  for (std::size_t i = 0; i < tallies_.size(); ++i) {
    const RouterStatistics statistics = tallies_[i].statistics();
    const double share = 1 / (std::max(tallies_[i].rows(), 1.0) * layers);  // of a row in a mean
    std::vector<float>& each = gradient.by_probability[static_cast<std::size_t>(sparse_layers_[i])];
    for (std::size_t e = 0; e < statistics.load.size(); ++e) {
      const double balance =
          static_cast<double>(options.balance) * static_cast<double>(num_experts_) * statistics.load[e];
      each.push_back(static_cast<float>((balance + by_group(statistics, e, options)) * share));
    }
    gradient.z = static_cast<float>(static_cast<double>(options.z) * share);
  }
  return gradient;
}

}  // namespace plumb
