#pragma once
// A dense model seen as a mixture of experts (Komatsuzaki et al. 2022, arXiv 2212.05055).

#include <cstdint>
#include <memory>

#include "core/result.h"
#include "formats/model_folder.h"

namespace plumb {

struct UpcycleOptions {
  std::int64_t num_experts = 8;
  std::int64_t top_k = 2;
  std::uint64_t seed = 1;  // of the router's weights
};

/// A model whose every feed-forward block is `num_experts` copies of `dense`'s, behind a router of small random weights
/// (normal, deviation 0.02): as the chosen weights add up to 1, its outputs start as the dense model's, and what
/// training does to the experts is decided by which tokens they get. Llama and Mistral become Mixtral, Qwen3 becomes
/// Qwen3-MoE. Takes `dense` over; tensors are read from it on demand. Errors: a family that has no such sibling, biases
/// in the block, impossible numbers.
Result<std::unique_ptr<ModelSource>> upcycle(std::unique_ptr<ModelSource> dense, const UpcycleOptions& options);

}  // namespace plumb
