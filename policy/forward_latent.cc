// Latent attention (DeepSeek-V2, section 2.1). A row's latent is projected up where it is made, so that its keys and
// values stand in the pages like any other model's: its bits do not depend on when that happens, and actor and learner
// agree. That is what a policy does, unless it was told that it need not be exact. Then extend() absorbs: with
// key = W_k latent and value = W_v latent, of each head,
//   q . key = (W_k^T q) . latent    and    sum p value = W_v (sum p latent),
// so the pages hold latents alone, all heads attend to the same ones, and W_k and W_v multiply one query and one
// result a row in place of every key and value. The sums are the same and their roundings are not.

#include <algorithm>

#include "core/trace.h"
#include "policy/latent.h"
#include "policy/layer_pass.h"
#include "tensor/rms_norm.h"

namespace plumb {

void LayerPass::latents(std::int64_t layer, const RowBlock& block) {
  norm_latents(layer, block);
  const PackedLayer& packed = engine_.weights.packed(layer);
  BlockMemory& memory = *block.memory;
  {
    const TraceSpan span("products of latents");
    if (packed.q_up) {
      multiply(packed.q_up->forward, memory.q_latent.row(0), memory.q_up.data(), block);
    }
    if (!plan_.absorbed) {
      multiply(packed.kv_up->forward, memory.kv_latent.row(0), memory.kv_up.data(), block);
    }
    block.meet();
  }
  plan_.absorbed ? absorbed_heads(layer, block) : latent_heads(layer, block);
}

// This thread's columns of the product for the block's rows.
void LayerPass::multiply(const PackedMatrix& matrix, const void* rows, float* to, const RowBlock& block) {
  const PanelRange panels = block.panels(matrix);
  matrix.multiply(panels, rows, block.size(),
                  {.y = to + matrix.panel_begin(panels.begin), .row_stride = matrix.columns()},
                  engine_.memory(block.worker).product);
}

// In place, and as operands.
void LayerPass::norm_latents(std::int64_t layer, const RowBlock& block) {
  const TraceSpan span("rms_norm");
  const LatentAttention& latent = config_.latent;
  const LayerOffsets& offsets = engine_.weights.layer(layer);
  for (std::int64_t row = block.first_row(); row < block.last_row(); ++row) {
    const std::int64_t at = row - block.begin;
    float* q = block.memory->qkv.data() + at * qkv_columns(config_);
    float* kv = q + latent_q_columns(config_);
    if (float* raw = kept_raw(layer, row)) {
      std::copy_n(q, latent.q_rank, raw);
      std::copy_n(kv, latent.kv_rank, raw + latent.q_rank);
    }
    if (latent.q_rank > 0) {
      rms_norm(q, engine_.weights.value(offsets.q_latent_norm), latent.q_rank, kLatentNormEps, q);
      block.memory->q_latent.store_row(at, q);
    }
    rms_norm(kv, engine_.weights.value(offsets.kv_latent_norm), latent.kv_rank, kLatentNormEps, kv);
    block.memory->kv_latent.store_row(at, kv);
  }
  block.meet();
}

// Rotates the rotary parts of a row's queries and of the key that they share. Returns the queries [H, nope + rope].
float* LayerPass::rotate_latent_row(std::int64_t row, const RowBlock& block) {
  const LatentAttention& latent = config_.latent;
  const std::int64_t at = row - block.begin;
  const std::int64_t position = plan_.positions[static_cast<std::size_t>(row)];
  const std::int64_t d = config_.head_dim;
  float* down = block.memory->qkv.data() + at * qkv_columns(config_);
  float* query = latent.q_rank > 0 ? block.memory->q_up.data() + at * config_.num_heads * d : down;
  for (std::int64_t head = 0; head < config_.num_heads; ++head) {
    pairs_to_halves(query + head * d + latent.nope_dim, latent.rope_dim);
  }
  engine_.rope.rotate(query + latent.nope_dim, config_.num_heads, position, d);
  float* shared = down + latent_q_columns(config_) + latent.kv_rank;
  pairs_to_halves(shared, latent.rope_dim);
  engine_.rope.rotate(shared, 1, position);
  return query;
}

void LayerPass::latent_heads(std::int64_t layer, const RowBlock& block) {
  const TraceSpan span("rope, store keys and values");
  for (std::int64_t row = block.first_row(); row < block.last_row(); ++row) {
    latent_row(layer, row, block);
  }
}

// Heads of [nope, rope]; all keys share the rotary part.
void LayerPass::latent_row(std::int64_t layer, std::int64_t row, const RowBlock& block) {
  const LatentAttention& latent = config_.latent;
  const std::int64_t at = row - block.begin;
  const std::int64_t heads = config_.num_heads;
  const std::int64_t d = config_.head_dim;
  store_query(layer, row, rotate_latent_row(row, block));
  const float* shared =
      block.memory->qkv.data() + at * qkv_columns(config_) + latent_q_columns(config_) + latent.kv_rank;
  AlignedBuffer<float>& memory = engine_.memory(block.worker).row;
  memory.resize(heads * (d + latent.value_dim));
  float* key = memory.data();
  float* value = key + heads * d;
  const float* up = block.memory->kv_up.data() + at * heads * (latent.nope_dim + latent.value_dim);
  for (std::int64_t head = 0; head < heads; ++head, up += latent.nope_dim + latent.value_dim) {
    std::copy_n(up, latent.nope_dim, key + head * d);
    std::copy_n(shared, latent.rope_dim, key + head * d + latent.nope_dim);
    std::copy_n(up + latent.nope_dim, latent.value_dim, value + head * latent.value_dim);
  }
  store_key_and_value(layer, row, key, value);
}

// Keys are (latent, rotary part), queries likewise once W_k has taken them there.
void LayerPass::absorbed_heads(std::int64_t layer, const RowBlock& block) {
  const std::int64_t padded = padded_rows(block.size());
  BlockMemory& memory = *block.memory;
  {
    const TraceSpan span("rope, store latents");
    for (std::int64_t row = block.first_row(); row < block.last_row(); ++row) {
      absorbed_row(layer, row, block);
    }
    block.meet();
  }
  const TraceSpan span("products of latents");
  const std::int64_t rank = config_.latent.kv_rank;
  const std::vector<PackedMatrix>& keys = engine_.weights.packed(layer).absorbed->keys;
  for (std::size_t head = 0; head < keys.size(); ++head) {
    const std::int64_t first = static_cast<std::int64_t>(head) * padded;
    multiply(keys[head], memory.absorbed_nope.row(first), memory.absorbed_queries.data() + first * rank, block);
  }
  block.meet();
  for (std::int64_t row = block.first_row(); row < block.last_row(); ++row) {
    for (std::int64_t head = 0; head < config_.num_heads; ++head) {
      const float* from = memory.absorbed_queries.data() + (head * padded + row - block.begin) * rank;
      std::copy_n(from, rank, q(layer) + row * q_floats() + head * attention_.padded_dim());
    }
  }
}

void LayerPass::absorbed_row(std::int64_t layer, std::int64_t row, const RowBlock& block) {
  const LatentAttention& latent = config_.latent;
  const std::int64_t at = row - block.begin;
  const std::int64_t padded = padded_rows(block.size());
  const float* query = rotate_latent_row(row, block);
  for (std::int64_t head = 0; head < config_.num_heads; ++head, query += config_.head_dim) {
    block.memory->absorbed_nope.store_row(head * padded + at, query);
    float* to = q(layer) + row * q_floats() + head * attention_.padded_dim() + latent.kv_rank;
    std::fill(std::copy_n(query + latent.nope_dim, latent.rope_dim, to), to - latent.kv_rank + attention_.padded_dim(),
              0.0F);
  }
  const float* key = block.memory->qkv.data() + at * qkv_columns(config_) + latent_q_columns(config_);
  store_key_and_value(layer, row, key, key);
}

// `attended` [H, kv rank], as the operand of the way out.
void LayerPass::store_absorbed(const float* attended, std::int64_t row, const RowBlock& block) {
  const std::int64_t padded = padded_rows(block.size());
  for (std::int64_t head = 0; head < config_.num_heads; ++head) {
    block.memory->absorbed_attended.store_row(head * padded + row - block.begin,
                                              attended + head * config_.latent.kv_rank);
  }
}

// attended = W_v of what each head gathered.
void LayerPass::leave_latents(std::int64_t layer, const RowBlock& block) {
  const TraceSpan span("products of latents");
  const std::int64_t padded = padded_rows(block.size());
  const std::int64_t size = config_.latent.value_dim;
  BlockMemory& memory = *block.memory;
  const std::vector<PackedMatrix>& values = engine_.weights.packed(layer).absorbed->values;
  for (std::size_t head = 0; head < values.size(); ++head) {
    const std::int64_t first = static_cast<std::int64_t>(head) * padded;
    multiply(values[head], memory.absorbed_attended.row(first), memory.absorbed_values.data() + first * size, block);
  }
  block.meet();
  for (std::int64_t row = block.first_row(); row < block.last_row(); ++row) {
    const std::int64_t at = row - block.begin;
    for (std::int64_t head = 0; head < config_.num_heads; ++head) {
      memory.attended.store(at, head * size, size, memory.absorbed_values.data() + (head * padded + at) * size);
    }
  }
  block.meet();
}

}  // namespace plumb
