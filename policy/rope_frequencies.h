#pragma once
// Rotary frequencies with the scalings that families use to reach beyond their first context.

#include <vector>

#include "policy/model_config.h"

namespace plumb {

/// What a RopeTable is made from.
struct RopeFrequencies {
  std::vector<float> values;  // [d / 2] angle of one position
  float factor = 1.0F;        // of sines and cosines
};

/// With w_i = theta^(-2i / d), s = factor, P = original positions:
///   default, dynamic  w_i. Dynamic NTK changes w only in sequences beyond max_positions, by their length, so that a
///                     token's numbers would depend on later ones; plumb runs none that are so long.
///   linear            w_i / s
///   llama3            w_i where the wave length 2 pi / w_i is below P / high, w_i / s where it is above P / low, and
///                     in between a mixture that is linear in P / wave length (Llama 3.1's released code)
///   yarn              a mixture of w_i / s and w_i: the ramp between the dimensions that turn beta_slow and beta_fast
///                     times in P positions (arXiv 2309.00071, section 3.2); factor is attention_factor, or
///                     m(mscale) / m(mscale_all_dim) where a family gives them, else m(1); m(t) = 0.1 t ln s + 1
RopeFrequencies rope_frequencies(const ModelConfig& config);

/// What scores are multiplied by beyond 1 / sqrt(d) where yarn names mscale_all_dim (DeepSeek-V2): its m squared.
float yarn_score_factor(const RopeScaling& rope);

}  // namespace plumb
