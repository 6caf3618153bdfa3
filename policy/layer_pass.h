#pragma once
// The layers of a model, forward. A layer is two stages with one barrier in between: keys and values of all rows must
// stand before any row attends. Everything else touches one row at a time, so a block of rows runs through the rest of
// a layer, and into the next one, without waiting for others. A backward that finds no activations (checkpoints) runs
// the same two stages of one layer again.

#include <cstdint>

#include "policy/engine.h"

namespace plumb {

/// Where a product goes: after = before + factors[row] (product + bias). `before` may be `after`.
struct ResidualSum {
  const float* before = nullptr;       // [T, D]
  float* after = nullptr;              // [T, D]
  const float* bias = nullptr;         // [D], or null: none
  const float* row_factors = nullptr;  // [T], or null: 1
};

/// Rows that go through one gate and up product: what to multiply, and where the activated numbers go.
struct FeedForwardRows {
  const PackedFeedForward& packed;
  const float* bias = nullptr;  // [2F], or null: none
  const void* input = nullptr;  // [rows, D]
  std::int64_t num_rows = 0;
  Operand& activated;
  std::int64_t first_row = 0;  // of `activated`
  Operand* kept = nullptr;     // gate and up, where a tape wants them
};

class LayerPass {
 public:
  /// `x` may be null where a tape is given and the last layer is not run to its end.
  LayerPass(Engine& engine, const RowPlan& plan, AlignedBuffer<float>* x, LayerTape* tape)
      : engine_(engine),
        config_(engine.config),
        attention_(plan.absorbed ? *engine.absorbed_attention : engine.attention),
        plan_(plan),
        x_(x),
        tape_(tape) {}

  void run();
  void restore(std::int64_t layer);

 private:
  using Stage = void (LayerPass::*)(std::int64_t stage, const RowBlock& block);

  [[nodiscard]] std::int64_t largest_block() const;
  void run_stages(Stage body, std::int64_t count);
  void run_together(Stage body, std::int64_t count);
  void run_blocks(Stage body, std::int64_t count);
  void run_stage(std::int64_t stage, const RowBlock& block);
  void restore_stage(std::int64_t stage, const RowBlock& block);
  void embed(const RowBlock& block);
  void norm(const float* x, std::int64_t weight, const RowBlock& block);
  void add_product(const PackedMatrix& matrix, const Operand& operand, const RowBlock& block, const ResidualSum& sum);

  // forward_attention.cc
  void keys_and_values(std::int64_t layer, const RowBlock& block);
  void split_row(std::int64_t layer, std::int64_t row, float* qkv);
  void norm_heads(std::int64_t layer, std::int64_t row, float* qkv);
  void store_query(std::int64_t layer, std::int64_t row, const float* query);
  void store_key_and_value(std::int64_t layer, std::int64_t row, const float* key, const float* value);
  void attend(std::int64_t layer, const RowBlock& block);
  void attend_rows(std::int64_t layer, const RowBlock& block);

  // forward_latent.cc
  void latents(std::int64_t layer, const RowBlock& block);
  void norm_latents(std::int64_t layer, const RowBlock& block);
  float* rotate_latent_row(std::int64_t row, const RowBlock& block);
  void latent_heads(std::int64_t layer, const RowBlock& block);
  void latent_row(std::int64_t layer, std::int64_t row, const RowBlock& block);
  void absorbed_heads(std::int64_t layer, const RowBlock& block);
  void absorbed_row(std::int64_t layer, std::int64_t row, const RowBlock& block);
  void store_absorbed(const float* attended, std::int64_t row, const RowBlock& block);
  void leave_latents(std::int64_t layer, const RowBlock& block);
  void multiply(const PackedMatrix& matrix, const void* rows, float* to, const RowBlock& block);

  // forward_feed_forward.cc
  void feed_forward(std::int64_t layer, const RowBlock& block);
  void activations(std::int64_t layer, const RowBlock& block);
  void route(std::int64_t layer, const RowBlock& block);
  void gather(const RowBlock& block);
  void activate(std::int64_t layer, const RowBlock& block);
  void activate_experts(std::int64_t layer, const RowBlock& block);
  void add_experts(std::int64_t layer, const RowBlock& block);
  template <typename KeptRow>
  void activate_rows(const FeedForwardRows& job, const RowBlock& block, KeptRow kept_row);

  // Where the activations of `layer` go; null: nobody wants them.
  [[nodiscard]] LayerActivations* kept(std::int64_t layer) const {
    return tape_ != nullptr && tape_->holds(layer) ? &tape_->activations(layer) : nullptr;
  }
  // The residual stream before layer `layer`, in the middle of it, and q: kept apart for the backward, else in the
  // place of what comes next.
  [[nodiscard]] float* x_in(std::int64_t layer) const {
    return tape_ == nullptr || layer == config_.num_layers ? x_->data() : tape_->input(layer);
  }
  [[nodiscard]] float* x_mid(std::int64_t layer) const {
    return kept(layer) != nullptr ? kept(layer)->x_mid.data() : x_in(layer + 1);
  }
  [[nodiscard]] Routes& routes(std::int64_t layer) const {
    return tape_ == nullptr ? engine_.routes : tape_->routes[static_cast<std::size_t>(layer)];
  }
  // Where the numbers go that a norm inside attention reads; null: nobody wants them.
  [[nodiscard]] float* kept_raw(std::int64_t layer, std::int64_t row) const {
    return kept(layer) == nullptr ? nullptr : kept(layer)->raw.data() + row * raw_columns(config_);
  }
  // The number at an offset of the masters; null where the model has none.
  [[nodiscard]] const float* optional(std::int64_t offset) const {
    return offset == kAbsent ? nullptr : engine_.weights.value(offset);
  }
  [[nodiscard]] float* q(std::int64_t layer) const {
    return kept(layer) != nullptr ? kept(layer)->q.data() : engine_.queries.data();
  }
  [[nodiscard]] std::int64_t q_floats() const { return config_.num_heads * attention_.padded_dim(); }
  [[nodiscard]] std::int64_t page_offset(std::int64_t layer) const {
    return layer % plan_.layers_kept * attention_.layer_floats();
  }

  Engine& engine_;
  const ModelConfig& config_;
  const AttentionShape& attention_;
  const RowPlan& plan_;
  AlignedBuffer<float>* x_;
  LayerTape* tape_;
  std::int64_t restored_ = 0;  // the layer of restore()
};

}  // namespace plumb
