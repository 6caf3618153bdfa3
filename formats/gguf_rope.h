#pragma once
// Llama 3's rotary scaling as GGUF holds it: not its parameters but what each frequency is divided by.

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "formats/hyperparameters.h"

namespace plumb {

/// The name of the tensor, [head_dim / 2] in F32.
inline constexpr const char* kRopeFactorsTensor = "rope_freqs.weight";

/// What a model with kLlama3 divides its head_dim / 2 frequencies by, the fastest first.
std::vector<float> rope_factors(const RopeScaling& rope, std::int64_t head_dim, float theta);

/// The scaling of kLlama3, low_freq_factor 1 and high_freq_factor 4 with these factors to within the rounding of f32.
/// Several have them where no frequency lies between those factors: then the original context of the published models,
/// 8192, or else a power of two. Empty if none has.
std::optional<RopeScaling> rope_scaling_of(std::span<const float> factors, float theta);

}  // namespace plumb
