#pragma once
// The weights that a model trained from scratch starts with.

#include <cstdint>
#include <vector>

#include "policy/model_layout.h"

namespace plumb {

struct InitialWeightOptions {
  std::uint64_t seed = 1;
  double deviation = 0.02;  // of the normal distribution that matrices are drawn from
};

/// Values of `tensor`, row-major, [its size]: norms 1, biases 0, matrices normal; those whose products are added to the
/// residual stream (o and every down projection) with the deviation divided by sqrt(2 L), L the layers, so that the
/// stream's variance does not grow with depth (Radford et al. 2019, "Language Models are Unsupervised Multitask
/// Learners", section 2.3). A function of the seed and the tensor's name alone.
std::vector<float> initial_weights(const ModelConfig& config, const TensorPlace& tensor,
                                   const InitialWeightOptions& options);

}  // namespace plumb
