// The feed-forward part of a layer: one block of weights for every row, routed experts, or both.

#include <algorithm>

#include "core/trace.h"
#include "policy/layer_pass.h"
#include "tensor/gated_activation.h"
#include "tensor/rms_norm.h"
#include "tensor/vector_math.h"

namespace plumb {

// Everything up to the down products, whose operands and, where a tape wants them, gate and up are left behind.
void LayerPass::activations(std::int64_t layer, const RowBlock& block) {
  if (config_.is_sparse(layer)) {
    route(layer, block);
    gather(block);
    activate_experts(layer, block);
  } else {
    norm(x_mid(layer), engine_.weights.layer(layer).post_norm, block);
  }
  if (engine_.weights.packed(layer).dense) {
    activate(layer, block);
  }
}

void LayerPass::feed_forward(std::int64_t layer, const RowBlock& block) {
  activations(layer, block);
  const LayerOffsets& offsets = engine_.weights.layer(layer);
  const PackedLayer& packed = engine_.weights.packed(layer);
  const bool sparse = config_.is_sparse(layer);
  if (packed.dense) {
    const TraceSpan span("down product");
    add_product(packed.dense->down.forward, sparse ? block.memory->shared_activated : block.memory->activated, block,
                {.before = x_mid(layer),
                 .after = x_in(layer + 1),
                 .bias = optional(offsets.dense.down_bias),
                 .row_factors = offsets.shared_gate == kAbsent ? nullptr : routes(layer).shared_gates.data()});
  } else if (x_mid(layer) != x_in(layer + 1)) {
    const std::int64_t d = config_.hidden_size;
    std::copy(x_mid(layer) + block.first_row() * d, x_mid(layer) + block.last_row() * d,
              x_in(layer + 1) + block.first_row() * d);
    block.meet();
  }
  if (sparse) {
    add_experts(layer, block);
  }
}

// The block's normed rows and where they go, for all members.
void LayerPass::route(std::int64_t layer, const RowBlock& block) {
  const TraceSpan span("rms_norm, router");
  const std::int64_t d = config_.hidden_size;
  const auto num_experts = static_cast<std::size_t>(config_.moe.num_experts);
  const std::int64_t k = config_.moe.top_k;
  const LayerOffsets& offsets = engine_.weights.layer(layer);
  const RouterShape shape = router_shape(config_);
  Routes& to = routes(layer);
  AlignedBuffer<float>& memory = engine_.memory(block.worker).row;
  memory.resize(d + config_.moe.num_experts);
  float* normed = memory.data();
  const std::span<float> probabilities(normed + d, num_experts);
  for (std::int64_t row = block.first_row(); row < block.last_row(); ++row) {
    rms_norm(x_mid(layer) + row * d, engine_.weights.value(offsets.post_norm), d, config_.rms_norm_eps, normed);
    block.memory->normed.store_row(row - block.begin, normed);
    const std::span<float> logits(to.logits.data() + row * config_.moe.num_experts, num_experts);
    router_logits(normed, engine_.weights.value(offsets.router), d, logits);
    router_probabilities(logits, probabilities);
    choose_experts(shape, probabilities, to.experts.data() + row * k, to.weights.data() + row * k);
    if (offsets.shared_gate != kAbsent) {
      const float logit = dot(normed, engine_.weights.value(offsets.shared_gate), d);
      to.shared_gates.data()[row] = 1.0F / (1.0F + exp_approx(-logit));
    }
  }
  block.meet();
  if (block.member == 0) {
    block.memory->order.build(to.experts.data() + block.begin * k, block.size(), k, config_.moe.num_experts);
  }
  block.meet();
}

// The normed rows by expert, for all members.
void LayerPass::gather(const RowBlock& block) {
  const TraceSpan span("gather rows by expert");
  BlockMemory& memory = *block.memory;
  const std::int64_t places = memory.order.num_places();
  const std::int64_t k = config_.moe.top_k;
  for (std::int64_t place = places * block.member / block.members();
       place < places * (block.member + 1) / block.members(); ++place) {
    const std::int64_t assignment = memory.order.assignment(place);
    if (assignment >= 0) {
      memory.gathered.copy_row(place, memory.normed, assignment / k);
    } else {
      memory.gathered.zero_row(place);
    }
  }
  block.meet();
}

// The same columns of the gate and of what it gates, piece by piece.
template <typename KeptRow>
void LayerPass::activate_rows(const FeedForwardRows& job, const RowBlock& block, KeptRow kept_row) {
  const auto kind = static_cast<GateKind>(config_.activation);
  const std::int64_t size_f = job.packed.gate.columns();
  WorkerMemory& memory = engine_.memory(block.worker);
  const PackedMatrix& gates = job.packed.gate;
  const std::int64_t row_bytes = gates.rows() * (job.activated.bf16() ? 2 : 4);
  for_rows_and_pieces(job.num_rows, block.panels(gates), [&](std::int64_t begin, std::int64_t count, PanelRange piece) {
    const std::int64_t columns = gates.width(piece);
    const std::int64_t first = gates.panel_begin(piece.begin);
    const void* input = static_cast<const char*>(job.input) + begin * row_bytes;
    memory.tile.resize(padded_rows(count) * columns);
    memory.other_tile.resize(padded_rows(count) * columns);
    gates.multiply(piece, input, count, {.y = memory.tile.data(), .row_stride = columns}, memory.product);
    job.packed.up.multiply(piece, input, count, {.y = memory.other_tile.data(), .row_stride = columns}, memory.product);
    for (std::int64_t i_row = 0; i_row < count; ++i_row) {
      const std::int64_t row = begin + i_row;
      float* gate = memory.tile.data() + i_row * columns;
      float* up = memory.other_tile.data() + i_row * columns;
      for (std::int64_t i = 0; job.bias != nullptr && i < columns; ++i) {
        gate[i] += job.bias[first + i];
        up[i] += job.bias[size_f + first + i];
      }
      if (job.kept != nullptr) {
        job.kept->store(kept_row(row), first, columns, gate);
        job.kept->store(kept_row(row), size_f + first, columns, up);
      }
      gated_activation(kind, gate, up, columns, gate);
      job.activated.store(job.first_row + row, first, columns, gate);
    }
  });
}

void LayerPass::activate(std::int64_t layer, const RowBlock& block) {
  const TraceSpan span("gate and up products, swiglu");
  LayerActivations* kept_layer = kept(layer);
  BlockMemory& memory = *block.memory;
  activate_rows({.packed = *engine_.weights.packed(layer).dense,
                 .bias = optional(engine_.weights.layer(layer).dense.gate_up_bias),
                 .input = memory.normed.row(0),
                 .num_rows = block.size(),
                 .activated = config_.is_sparse(layer) ? memory.shared_activated : memory.activated,
                 .kept = kept_layer == nullptr ? nullptr : &kept_layer->gate_up},
                block, [&](std::int64_t row) { return block.begin + row; });
  block.meet();
}

void LayerPass::activate_experts(std::int64_t layer, const RowBlock& block) {
  const TraceSpan span("experts: gate and up products, swiglu");
  const PackedLayer& packed = engine_.weights.packed(layer);
  LayerActivations* kept_layer = kept(layer);
  BlockMemory& memory = *block.memory;
  const ExpertOrder& order = memory.order;
  for (std::int64_t e = 0; e < order.num_experts(); ++e) {
    const std::int64_t begin = order.begin(e);
    if (order.count(e) == 0) {
      continue;
    }
    activate_rows({.packed = packed.experts[static_cast<std::size_t>(e)],
                   .bias = nullptr,
                   .input = memory.gathered.row(begin),
                   .num_rows = order.count(e),
                   .activated = memory.expert_activated,
                   .first_row = begin,
                   .kept = kept_layer == nullptr ? nullptr : &kept_layer->expert_gate_up},
                  block,
                  [&](std::int64_t row) { return block.begin * config_.moe.top_k + order.assignment(begin + row); });
  }
  block.meet();
}

// Adds each expert's weighted output to its rows: a row's experts by rising index, whoever else is in the batch.
void LayerPass::add_experts(std::int64_t layer, const RowBlock& block) {
  const TraceSpan span("experts: down products");
  const std::int64_t d = config_.hidden_size;
  const std::int64_t k = config_.moe.top_k;
  const PackedLayer& packed = engine_.weights.packed(layer);
  const ExpertOrder& order = block.memory->order;
  const float* weights = routes(layer).weights.data() + block.begin * k;
  float* x = x_in(layer + 1) + block.begin * d;
  WorkerMemory& memory = engine_.memory(block.worker);
  for (std::int64_t e = 0; e < order.num_experts(); ++e) {
    const PackedMatrix& matrix = packed.experts[static_cast<std::size_t>(e)].down.forward;
    const std::int64_t begin = order.begin(e);
    if (order.count(e) == 0) {
      continue;
    }
    for_pieces(block.panels(matrix), [&](PanelRange piece) {
      const std::int64_t columns = matrix.width(piece);
      const std::int64_t first = matrix.panel_begin(piece.begin);
      memory.tile.resize(padded_rows(order.count(e)) * columns);
      matrix.multiply(piece, block.memory->expert_activated.row(begin), order.count(e),
                      {.y = memory.tile.data(), .row_stride = columns}, memory.product);
      for (std::int64_t row = 0; row < order.count(e); ++row) {
        const std::int64_t assignment = order.assignment(begin + row);
        const float weight = weights[assignment];
        const float* added = memory.tile.data() + row * columns;
        float* out = x + assignment / k * d + first;
        for (std::int64_t i = 0; i < columns; ++i) {
          out[i] += weight * added[i];
        }
      }
    });
  }
  block.meet();
}

}  // namespace plumb
