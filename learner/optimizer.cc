#include "learner/optimizer.h"

#include <fmt/format.h>

#include <cmath>
#include <string_view>

#include "tensor/adamw.h"
#include "tensor/norms.h"

namespace plumb {
namespace {

bool is_decayed(const ParameterView& parameter, const OptimizerOptions& options) {
  const bool table =
      parameter.name.find("embed_tokens") != std::string::npos || parameter.name.find("lm_head") != std::string::npos;
  return parameter.shape.size() >= 2 && (options.decay_embeddings || !table);
}

// "layers.3" of model.layers.3.mlp.up_proj.weight, "embed_tokens" of model.embed_tokens.weight.
std::string layer_of(std::string_view name) {
  constexpr std::string_view kModel = "model.";
  constexpr std::string_view kLayers = "layers.";
  name.remove_prefix(name.starts_with(kModel) ? kModel.size() : 0);
  return std::string(name.substr(0, name.find('.', name.starts_with(kLayers) ? kLayers.size() : 0)));
}

}  // namespace

Optimizer::Optimizer(Policy& policy, ThreadPool& pool, const OptimizerOptions& options)
    : policy_(policy), pool_(pool), options_(options) {
  for (const ParameterView& parameter : policy_.parameters()) {
    first_.emplace_back(parameter.value.size(), 0.0F);
    second_.emplace_back(parameter.value.size(), 0.0F);
  }
}

UpdateStats Optimizer::step(float learning_rate) {
  double squares = 0;
  squares_.clear();
  for (const ParameterView& parameter : policy_.parameters()) {
    squares_.push_back(sum_of_squares(parameter.gradient, pool_));
    squares += squares_.back();
  }
  UpdateStats stats;
  stats.grad_norm = std::sqrt(squares);
  announce_change();
  if (std::isfinite(stats.grad_norm)) {
    const auto limit = static_cast<double>(options_.max_grad_norm);
    const bool clip = limit > 0 && stats.grad_norm > limit;
    ++num_updates_;
    AdamWStep update;
    update.learning_rate = learning_rate;
    update.beta1 = options_.beta1;
    update.beta2 = options_.beta2;
    update.epsilon = options_.epsilon;
    update.step = num_updates_;
    update.gradient_scale = clip ? static_cast<float>(limit / stats.grad_norm) : 1.0F;
    for (std::size_t i = 0; i < first_.size(); ++i) {
      ParameterView& parameter = policy_.parameters()[i];
      update.weight_decay = is_decayed(parameter, options_) ? options_.weight_decay : 0.0F;
      adamw_update(parameter.value, parameter.gradient, first_[i], second_[i], update, pool_);
    }
    policy_.commit_update();
    stats.applied = true;
  }
  policy_.zero_gradients();
  return stats;
}

void Optimizer::announce_change() const {
  if (before_change_) {
    before_change_();
  }
}

std::map<std::string, double> Optimizer::layer_norms() const {
  std::map<std::string, double> norms;
  for (std::size_t i = 0; i < squares_.size(); ++i) {
    norms[layer_of(policy_.parameters()[i].name)] += squares_[i];
  }
  for (auto& [layer, norm] : norms) {
    norm = std::sqrt(norm);
  }
  return norms;
}

Result<void> Optimizer::restore(std::vector<std::vector<float>> first, std::vector<std::vector<float>> second,
                                std::int64_t num_updates) {
  if (first.size() != first_.size() || second.size() != second_.size()) {
    return Error{fmt::format("optimizer state: expected moments of {} tensors, found {} and {}", first_.size(),
                             first.size(), second.size())};
  }
  for (std::size_t i = 0; i < first.size(); ++i) {
    if (first[i].size() != first_[i].size() || second[i].size() != second_[i].size()) {
      return Error{fmt::format("optimizer state of '{}': expected {} values, found {} and {}",
                               policy_.parameters()[i].name, first_[i].size(), first[i].size(), second[i].size())};
    }
  }
  first_ = std::move(first);
  second_ = std::move(second);
  num_updates_ = num_updates;
  return {};
}

}  // namespace plumb
