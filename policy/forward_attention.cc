// The part of a layer around attention: queries, keys and values of each row, and what it attends to.

#include <algorithm>

#include "core/trace.h"
#include "policy/latent.h"
#include "policy/layer_pass.h"
#include "tensor/rms_norm.h"

namespace plumb {

void LayerPass::keys_and_values(std::int64_t layer, const RowBlock& block) {
  norm(x_in(layer), engine_.weights.layer(layer).input_norm, block);
  const PackedMatrix& matrix = engine_.weights.packed(layer).qkv.forward;
  const PanelRange panels = block.panels(matrix);
  float* qkv = block.memory->qkv.data();
  {
    const TraceSpan span("qkv product");
    matrix.multiply(panels, block.memory->normed.row(0), block.size(),
                    {.y = qkv + matrix.panel_begin(panels.begin), .row_stride = matrix.columns()},
                    engine_.memory(block.worker).product);
    block.meet();
  }
  if (config_.is_latent()) {
    latents(layer, block);
    return;
  }
  const TraceSpan span("rope, store keys and values");
  for (std::int64_t row = block.first_row(); row < block.last_row(); ++row) {
    split_row(layer, row, qkv + (row - block.begin) * matrix.columns());
  }
}

void LayerPass::split_row(std::int64_t layer, std::int64_t row, float* qkv) {
  const AttentionShape& shape = attention_;
  if (const float* bias = optional(engine_.weights.layer(layer).qkv_bias)) {
    for (std::int64_t i = 0; i < qkv_columns(config_); ++i) {
      qkv[i] += bias[i];
    }
  }
  if (config_.qk_norm) {
    norm_heads(layer, row, qkv);
  }
  engine_.rope.rotate(qkv, shape.num_heads + shape.num_kv_heads, plan_.positions[static_cast<std::size_t>(row)]);
  store_query(layer, row, qkv);
  const float* key = qkv + shape.num_heads * shape.head_dim;
  store_key_and_value(layer, row, key, key + shape.num_kv_heads * shape.head_dim);
}

void LayerPass::norm_heads(std::int64_t layer, std::int64_t row, float* qkv) {
  const LayerOffsets& offsets = engine_.weights.layer(layer);
  if (float* raw = kept_raw(layer, row)) {
    std::copy_n(qkv, raw_columns(config_), raw);
  }
  for (std::int64_t head = 0; head < config_.num_heads + config_.num_kv_heads; ++head) {
    const std::int64_t weight = head < config_.num_heads ? offsets.q_norm : offsets.k_norm;
    float* at = qkv + head * config_.head_dim;
    rms_norm(at, engine_.weights.value(weight), config_.head_dim, config_.rms_norm_eps, at);
  }
}

void LayerPass::store_query(std::int64_t layer, std::int64_t row, const float* query) {
  const AttentionShape& shape = attention_;
  for (std::int64_t head = 0; head < shape.num_heads; ++head) {
    float* to = q(layer) + row * q_floats() + head * shape.padded_dim();
    std::copy(query + head * shape.head_dim, query + (head + 1) * shape.head_dim, to);
    std::fill(to + shape.head_dim, to + shape.padded_dim(), 0.0F);
  }
}

void LayerPass::store_key_and_value(std::int64_t layer, std::int64_t row, const float* key, const float* value) {
  const auto at = static_cast<std::size_t>(row);
  for (std::int64_t i = plan_.slot_begin[at]; i < plan_.slot_begin[at + 1]; ++i) {
    const PageSlot& place = plan_.slots[static_cast<std::size_t>(i)];
    write_page_slot(attention_, place.page + page_offset(layer), place.slot, key, value);
  }
}

void LayerPass::attend(std::int64_t layer, const RowBlock& block) {
  attend_rows(layer, block);
  if (plan_.absorbed) {
    leave_latents(layer, block);
  }
  const TraceSpan span("o product");
  add_product(engine_.weights.packed(layer).o.forward, block.memory->attended, block,
              {.before = x_in(layer), .after = x_mid(layer), .bias = optional(engine_.weights.layer(layer).o_bias)});
}

void LayerPass::attend_rows(std::int64_t layer, const RowBlock& block) {
  const TraceSpan span("attention");
  const AttentionShape& shape = attention_;
  WorkerMemory& memory = engine_.memory(block.worker);
  memory.row.resize(shape.num_heads * shape.value_dim());
  LayerActivations* kept_layer = kept(layer);
  for (std::int64_t row = block.first_row(); row < block.last_row(); ++row) {
    const auto at = static_cast<std::size_t>(row);
    float* log_sum_exp = kept_layer == nullptr ? nullptr : kept_layer->log_sum_exp.data() + row * shape.num_heads;
    attention_row(shape, q(layer) + row * q_floats(),
                  {.pages = plan_.pages[at],
                   .layer_offset = page_offset(layer),
                   .num_keys = plan_.positions[at] + 1,
                   .first_key = first_key(config_, layer, plan_.positions[at])},
                  memory.row.data(), log_sum_exp, memory.scores);
    if (plan_.absorbed) {
      store_absorbed(memory.row.data(), row, block);
      continue;
    }
    block.memory->attended.store_row(row - block.begin, memory.row.data());
    if (kept_layer != nullptr) {
      kept_layer->attended.store_row(row, memory.row.data());
    }
  }
  block.meet();
}

}  // namespace plumb
