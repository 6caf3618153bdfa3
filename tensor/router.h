#pragma once
// The router of a mixture of experts, one row at a time, always in f32 over the unrounded row and the master weights:
// which experts a token goes to must not hang on a rounding. The bits depend on the row and the weights alone.

#include <cstdint>
#include <span>

namespace plumb {

struct RouterShape {
  std::int64_t num_experts = 0;  // E
  std::int64_t top_k = 0;        // k
  bool normalise = false;        // weights are divided by the sum of the chosen
  float scaling = 1.0F;          // else multiplied by this
  std::int64_t num_groups = 1;   // of E / num_groups experts side by side
  std::int64_t top_groups = 1;   // a row's experts come from the groups with the largest probabilities
};

/// logits[e] = weight[e] x.
///   x  [D], weight  [E, D], logits  [E]  f32 (=)
void router_logits(const float* x, const float* weight, std::int64_t size_d, std::span<float> logits);

/// probabilities = softmax(logits).
void router_probabilities(std::span<const float> logits, std::span<float> probabilities);

/// The chosen experts by falling probability, equal ones by rising index, and the weights of their outputs.
///   probabilities  [E]
///   experts        [k]  out (=)
///   weights        [k]  out (=)
void choose_experts(const RouterShape& shape, std::span<const float> probabilities, std::int32_t* experts,
                    float* weights);

/// The gradient of choose_experts and the softmax; the choice itself has none.
///   experts, weights, d_weights  [k]  in
///   d_probabilities              [E]  in: what other losses say of the probabilities; becomes scratch memory
///   d_logits                     [E]  out (=)
void router_backward(const RouterShape& shape, std::span<const float> probabilities, const std::int32_t* experts,
                     const float* weights, const float* d_weights, std::span<float> d_probabilities,
                     std::span<float> d_logits);

}  // namespace plumb
