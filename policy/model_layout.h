#pragma once
// Which tensors a model has, by config, and where each starts in one block of numbers. Known without any weights, so
// that plans and checks can ask too.

#include <cstdint>
#include <string>
#include <vector>

#include "core/result.h"
#include "policy/model_config.h"

namespace plumb {

/// A tensor by its Hugging Face name.
struct TensorPlace {
  std::string name;
  std::vector<std::int64_t> shape;
  std::int64_t offset = 0;
  std::int64_t size = 0;
};

inline constexpr std::int64_t kAbsent = -1;

/// Gate and up rows form one matrix.
struct FeedForwardOffsets {
  std::int64_t size_f = 0;              // 0: the layer has none
  std::int64_t gate_up = kAbsent;       // [2F, D]
  std::int64_t gate_up_bias = kAbsent;  // [2F]
  std::int64_t down = kAbsent;          // [D, F]
  std::int64_t down_bias = kAbsent;     // [D]
};

/// Offsets of a layer's tensors. Query, key and value rows form one matrix; with latent attention it is the rows of the
/// queries' latent (or of the queries, without one) and those of the keys' and values' latent and shared rotary part.
struct LayerOffsets {
  std::int64_t input_norm = 0;            // [D]
  std::int64_t qkv = 0;                   // [C, D], see qkv_columns()
  std::int64_t qkv_bias = kAbsent;        // [C]
  std::int64_t q_norm = kAbsent;          // [d]
  std::int64_t k_norm = kAbsent;          // [d]
  std::int64_t q_latent_norm = kAbsent;   // [q rank]
  std::int64_t q_up = kAbsent;            // [H d, q rank]
  std::int64_t kv_latent_norm = kAbsent;  // [kv rank]
  std::int64_t kv_up = kAbsent;           // [H (nope + e), kv rank]
  std::int64_t o = 0;                     // [D, H e]
  std::int64_t o_bias = kAbsent;          // [D]
  std::int64_t post_norm = 0;             // [D]
  FeedForwardOffsets dense;               // for every row: the dense layer's block, or the shared expert
  std::int64_t shared_gate = kAbsent;     // [1, D]
  std::int64_t router = kAbsent;          // [E, D]
  std::vector<FeedForwardOffsets> experts;
};

struct ModelLayout {
  std::vector<TensorPlace> tensors;  // in order of offset
  std::vector<LayerOffsets> layers;
  std::int64_t embedding = 0;
  std::int64_t final_norm = 0;
  std::int64_t head = 0;  // embedding where they are tied, or of a value head [1, D]
  std::int64_t num_values = 0;
};

ModelLayout make_layout(const ModelConfig& config);

/// A tensor that a file offers.
struct OfferedTensor {
  std::string name;
  std::vector<std::int64_t> shape;
};

/// Whether these are the tensors that `config` asks for, before any of them is read or room is made for them. Errors:
/// one that lacks, one that has no place, another shape.
Result<void> check_tensors(const ModelConfig& config, const std::vector<OfferedTensor>& offered);

/// "[3, 4]"
std::string shape_text(const std::vector<std::int64_t>& shape);

/// Columns of the product that attention starts with, C: (H + 2K) d, or with latent attention
/// (q rank or H d) + kv rank + rope.
std::int64_t qkv_columns(const ModelConfig& config);
/// Those of them before the keys' part, with latent attention.
std::int64_t latent_q_columns(const ModelConfig& config);
/// Numbers that the o product reads of a row: H e.
std::int64_t attended_columns(const ModelConfig& config);

/// Parameters in all, and those that a token's forward pass uses: of the routed experts the chosen ones.
struct ParameterCount {
  std::int64_t total = 0;
  std::int64_t active = 0;
};
ParameterCount count_parameters(const ModelConfig& config);

}  // namespace plumb
