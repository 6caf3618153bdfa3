#include "policy/initial_weights.h"

#include <cmath>

#include "core/rng.h"

namespace plumb {
namespace {

bool adds_to_the_stream(const ModelConfig& config, const std::string& name) {
  return name.ends_with(".o_proj.weight") || name.ends_with(".down_proj.weight") ||
         name.ends_with("." + config.moe.down_name + ".weight");
}

}  // namespace

std::vector<float> initial_weights(const ModelConfig& config, const TensorPlace& tensor,
                                   const InitialWeightOptions& options) {
  const auto size = static_cast<std::size_t>(tensor.size);
  if (tensor.name.ends_with("norm.weight")) {
    return std::vector<float>(size, 1.0F);
  }
  std::vector<float> values(size, 0.0F);
  if (tensor.name.ends_with(".bias")) {
    return values;
  }
  const double shrink =
      adds_to_the_stream(config, tensor.name) ? 1 / std::sqrt(2 * static_cast<double>(config.num_layers)) : 1;
  const RngStream stream(RngPurpose::kInit, options.seed, stable_hash(tensor.name));
  for (std::size_t i = 0; i < size; ++i) {
    values[i] = static_cast<float>(options.deviation * shrink * stream.normal(static_cast<std::uint32_t>(i)));
  }
  return values;
}

}  // namespace plumb
