#include "learner/reference.h"

#include <algorithm>

namespace plumb {

Result<std::unique_ptr<ReferencePolicy>> ReferencePolicy::create(Policy& policy, ThreadPool& pool,
                                                                 const ReferenceOptions& options) {
  std::vector<NamedTensor> weights;
  for (const ParameterView& parameter : policy.parameters()) {
    weights.push_back({parameter.name, parameter.shape, {parameter.value.begin(), parameter.value.end()}});
  }
  PolicyOptions same;
  same.dtype = policy.dtype();
  same.pool = &pool;
  PLUMB_ASSIGN(auto copy, Policy::create(policy.config(), std::move(weights), same));
  return std::unique_ptr<ReferencePolicy>(new ReferencePolicy(std::move(copy), options));
}

bool ReferencePolicy::after_step(std::int64_t step, Policy& policy) {
  const bool moves = options_.kind == ReferenceKind::kRefreshed || options_.kind == ReferenceKind::kEma;
  if (!moves || step % options_.every != 0) {
    return false;
  }
  const float rate = options_.kind == ReferenceKind::kEma ? options_.rate : 1.0F;
  for (std::size_t i = 0; i < policy.parameters().size(); ++i) {
    const std::span<const float> from = policy.parameters()[i].value;
    const std::span<float> to = reference_->parameters()[i].value;
    for (std::size_t j = 0; j < to.size(); ++j) {
      to[j] = rate == 1.0F ? from[j] : to[j] + rate * (from[j] - to[j]);
    }
  }
  reference_->commit_update();
  return true;
}

Result<void> ReferencePolicy::restore(const std::vector<std::vector<float>>& values) {
  auto& parameters = reference_->parameters();
  if (values.size() != parameters.size()) {
    return Error{"reference weights: expected " + std::to_string(parameters.size()) + " tensors, found " +
                 std::to_string(values.size())};
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i].size() != parameters[i].value.size()) {
      return Error{"reference weights: '" + parameters[i].name + "' has another size than the model's"};
    }
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::copy(values[i].begin(), values[i].end(), parameters[i].value.begin());
  }
  reference_->commit_update();
  return {};
}

}  // namespace plumb
