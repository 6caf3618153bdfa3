#pragma once
// How GGUF names and lays out the tensors of each family: one list that reader and writer share.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "formats/hyperparameters.h"

namespace plumb {

/// Which part of latent attention's kv_b_proj a tensor is: formats/gguf_latent.h.
enum class LatentHalf : std::uint8_t { kNone, kKeys, kValues, kBoth };

/// A tensor of a GGUF file and the Hugging Face tensors that it is made of.
struct GgufPart {
  std::string name;                  // "blk.3.attn_q.weight"
  std::vector<std::string> sources;  // one; or the experts', stacked
  std::int64_t heads = 0;            // > 0: rows of each head stand as interleaved rotary pairs (0, d/2, 1, d/2+1, ...)
  LatentHalf half = LatentHalf::kNone;
};

/// All tensors of a model, and the head's own where it has one. `joined_latent`: kv_b_proj is one tensor, as in files
/// from before April 2025, rather than two.
std::vector<GgufPart> gguf_parts(const Hyperparameters& hyperparameters, bool joined_latent = false);

/// GGUF's general.architecture of a family; empty where plumb neither reads nor writes it.
std::string_view gguf_architecture(std::string_view model_type);
/// The family of an architecture with or without experts; empty for an unknown one.
std::string_view gguf_model_type(std::string_view architecture, bool has_experts);
/// What all architectures of gguf_model_type() are, for messages.
std::string gguf_architectures();

/// Reorders the rows [heads, d] of `values` [rows, columns] between rotate-half order and interleaved pairs.
std::vector<float> interleave_heads(const std::vector<float>& values, std::int64_t rows, std::int64_t heads,
                                    bool to_pairs);

}  // namespace plumb
