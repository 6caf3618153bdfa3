#pragma once
// Causal attention of one query row over keys and values in pages, with grouped heads.
//
// A page holds 32 consecutive absolute positions of one sequence. A row walks its pages from position 0 on, so the bits
// of its result depend on its own sequence alone: not on where a prompt ends, on chunks, or on who else is in the
// batch.

#include <cstdint>
#include <vector>

#include "tensor/buffer.h"

namespace plumb {

inline constexpr std::int64_t kPagePositions = 32;

struct AttentionShape {
  std::int64_t num_heads = 0;     // H
  std::int64_t num_kv_heads = 0;  // K, divides H
  std::int64_t head_dim = 0;      // d
  std::int64_t value_size = 0;    // e: numbers of a value; 0: d
  float score_scale = 0;          // of the products of queries and keys; 0: 1 / sqrt(d)

  [[nodiscard]] std::int64_t group() const { return num_heads / num_kv_heads; }
  [[nodiscard]] std::int64_t padded_dim() const { return (head_dim + 15) / 16 * 16; }
  [[nodiscard]] std::int64_t value_dim() const { return value_size == 0 ? head_dim : value_size; }
  [[nodiscard]] std::int64_t padded_value() const { return (value_dim() + 15) / 16 * 16; }
  [[nodiscard]] float scale() const;
  /// Floats of one kv head of one page: keys transposed [d, 32], then values [32, padded e].
  [[nodiscard]] std::int64_t head_floats() const { return kPagePositions * (head_dim + padded_value()); }
  /// Floats of one layer of one page: [K] heads.
  [[nodiscard]] std::int64_t layer_floats() const { return num_kv_heads * head_floats(); }
};

/// Puts key and value of one position into slot `slot` (0 to 31) of a page's layer.
///   page         [layer_floats]  only the slot is written
///   key          [K, d]  f32
///   value        [K, e]  f32
void write_page_slot(const AttentionShape& shape, float* page, std::int64_t slot, const float* key, const float* value);

/// The keys and values that a row sees: positions 0 to num_keys - 1 of pages[0], pages[1], ...
struct PageView {
  const float* const* pages = nullptr;  // starts of pages, each with all layers
  std::int64_t layer_offset = 0;        // floats from a page's start to the layer
  std::int64_t num_keys = 0;            // > 0
  std::int64_t first_key = 0;           // keys before it are not seen (a sliding window); < num_keys
};

/// out[h] = sum over keys j of softmax(scale q[h] k[j])[j] v[j], for the query heads [H] of one row.
///   q                [H, padded d]  f32, zeros past d
///   out              [H, e]  f32 (=)
///   log_sum_exp      [H]     out (=), or null: of the scaled scores
///   scratch          reused memory of the calling thread
void attention_row(const AttentionShape& shape, const float* q, const PageView& keys, float* out, float* log_sum_exp,
                   AlignedBuffer<float>& scratch);

/// One kv head of one page as the backward reads it, with the gradients that it collects.
struct PageGradient {
  const float* keys_transposed = nullptr;    // [d, 32]
  const float* keys = nullptr;               // [32, padded d]
  const float* values_transposed = nullptr;  // [e, 32]
  float* d_keys = nullptr;                   // [32, padded d] +=
  float* d_values = nullptr;                 // [32, padded e] +=
};

/// The query side of one row for one kv head: its `group` query heads, each padded with zeros.
struct RowGradient {
  const float* q = nullptr;            // [group, padded d]
  const float* d_out = nullptr;        // [group, padded e]
  const float* log_sum_exp = nullptr;  // [group] from the forward
  const float* delta = nullptr;        // [group] sum over e of d_out * out
  float* d_q = nullptr;                // [group, padded d] +=
};

/// Adds what one row says about keys first_key to num_keys - 1 (of 32) of one page to the gradients of both.
void attention_backward(const AttentionShape& shape, const RowGradient& row, const PageGradient& page,
                        std::int64_t num_keys, std::int64_t first_key = 0);

}  // namespace plumb
