#pragma once
// A Llama in f64, written from the definition: slow, plain loops, no cache, no packing. What the engine is held to.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "policy/policy.h"

namespace plumb::testing {

/// Weights by Hugging Face name, row-major.
using ReferenceWeights = std::map<std::string, std::vector<double>>;

ReferenceWeights reference_weights(const std::vector<NamedTensor>& tensors);

/// Logits [T][V] of a whole sequence.
std::vector<std::vector<double>> reference_logits(const ModelConfig& config, const ReferenceWeights& weights,
                                                  const std::vector<std::int32_t>& token_ids);

/// log softmax(logits / temperature)[target]
double reference_log_prob(const std::vector<double>& logits, std::int32_t target, double temperature);

}  // namespace plumb::testing
