// The gradient of routed experts, of the router, and of the shared expert beside them.

#include <algorithm>
#include <cmath>

#include "core/trace.h"
#include "policy/activation_gradient.h"
#include "tensor/rms_norm.h"
#include "tensor/router.h"

namespace plumb {
namespace {

void zero_rows(Operand& operand, std::int64_t begin, std::int64_t end) {
  for (std::int64_t row = begin; row < end; ++row) {
    operand.zero_row(row);
  }
}

// to += factor * from
void add_scaled(float* to, float factor, const float* from, std::int64_t size) {
  const Lanes by(factor);
  for_lanes(size, [&](std::int64_t i, std::int64_t count) {
    fma(by, Lanes::load_first(from + i, count), Lanes::load_first(to + i, count)).store_first(to + i, count);
  });
}

}  // namespace

void ExpertBuffers::resize(const ModelConfig& config, std::int64_t rows) {
  const MixtureOfExperts& moe = config.moe;
  const std::int64_t places = ExpertOrder::most_places(rows, moe.top_k, moe.num_experts);
  d_out.resize(places, config.hidden_size);
  activated.resize(places, moe.expert_size);
  d_gate_up.resize(places, 2 * moe.expert_size);
  normed.resize(places, config.hidden_size);
  d_normed.resize(places * config.hidden_size);
  d_weights.resize(rows * moe.top_k);
  d_logits.resize(rows * moe.num_experts);
  router_input.resize(rows * config.hidden_size);
  d_shared.resize(padded_rows(rows) * config.hidden_size);
  d_shared_gate.resize(moe.shared_gate ? rows : 0);
}

// Each row's normed numbers again, and back through the shared expert.
void LayerBackward::start_sparse(std::int64_t layer, std::int64_t block, int worker) {
  const std::int64_t d = config_.hidden_size;
  const std::int64_t begin = blocks_.begin(block);
  const std::int64_t count = blocks_.size(block);
  ExpertBuffers& experts = b_.experts;
  for (std::int64_t row = begin; row < begin + count; ++row) {
    b_.d_out.store_row(row, b_.d_x.data() + row * d);
    float* normed = experts.router_input.data() + row * d;
    rms_norm(kept(layer).x_mid.data() + row * d, engine_.weights.value(offsets(layer).post_norm), d,
             config_.rms_norm_eps, normed);
    b_.normed_mid.store_row(row, normed);
  }
  if (config_.moe.shared_gate) {
    std::fill_n(experts.d_shared_gate.data() + begin, count, 0.0F);
  }
  if (offsets(layer).dense.size_f > 0 && count > 0) {
    back_through_dense(layer, block, worker);
    multiply(*engine_.weights.packed(layer).dense->gate_up_backward, b_.d_gate_up.row(begin), count,
             experts.d_shared.data() + begin * d, worker);
  } else {
    std::fill_n(experts.d_shared.data() + begin * d, count * d, 0.0F);
  }
}

void LayerBackward::add_expert_tasks(std::int64_t layer) {
  ExpertOrder& order = b_.experts.order;
  order.build(routes(layer).experts.data(), rows_, config_.moe.top_k, config_.moe.num_experts);
  for (std::int64_t e = 0; e < order.num_experts(); ++e) {
    for (std::int64_t begin = 0; begin < order.count(e); begin += kBackwardRows) {
      const std::int64_t count = std::min(kBackwardRows, order.count(e) - begin);
      tasks_.emplace_back([this, layer, e, begin, count](int worker) {
        expert_places(layer, e, b_.experts.order.begin(e) + begin, count, worker);
      });
    }
  }
}

// Some places of one expert: back through its products to the gradient of its rows and of their weights.
void LayerBackward::expert_places(std::int64_t layer, std::int64_t expert, std::int64_t begin, std::int64_t count,
                                  int worker) {
  ExpertBuffers& b = b_.experts;
  const std::int64_t d = config_.hidden_size;
  const std::int64_t k = config_.moe.top_k;
  const PackedFeedForward& packed = engine_.weights.packed(layer).experts[static_cast<std::size_t>(expert)];
  for (std::int64_t place = begin; place < begin + count; ++place) {
    const std::int64_t assignment = b.order.assignment(place);
    b.d_out.store_row(place, b_.d_x.data() + assignment / k * d);
    b.d_weights.data()[assignment] = 0.0F;
  }
  // Weight gradients take whole tiles: what stands behind the last row has to be nothing.
  const std::int64_t end = begin + padded_rows(count);
  for (Operand* operand : {&b.d_out, &b.d_gate_up, &b.activated, &b.normed}) {
    zero_rows(*operand, begin + count, end);
  }
  activation_gradient(
      {.packed = packed,
       .d_out = b.d_out,
       .kept = kept(layer).expert_gate_up,
       .d_gate_up = b.d_gate_up,
       .activated = b.activated,
       .begin = begin,
       .count = count},
      worker, [&](std::int64_t place) { return b.order.assignment(place); },
      [&](std::int64_t place) {
        const std::int64_t assignment = b.order.assignment(place);
        return RowFactor{routes(layer).weights.data() + assignment, b.d_weights.data() + assignment};
      });
  const TraceSpan span("gate and up backward");
  multiply(*packed.gate_up_backward, b.d_gate_up.row(begin), count, b.d_normed.data() + begin * d, worker);
}

// What all experts, the router and the shared expert say of each row, then as in a dense layer.
void LayerBackward::finish_sparse(std::int64_t layer, std::int64_t block, int worker) {
  const TraceSpan span("router backward, norm");
  const std::int64_t d = config_.hidden_size;
  const std::int64_t k = config_.moe.top_k;
  ExpertBuffers& b = b_.experts;
  float* scratch = more_rows(worker, 2 * config_.moe.num_experts);
  for (std::int64_t row = blocks_.begin(block); row < blocks_.begin(block + 1); ++row) {
    float* d_normed = b.d_shared.data() + row * d;
    for (std::int64_t assignment = row * k; assignment < (row + 1) * k; ++assignment) {
      const std::int64_t place = b.order.place(assignment);
      add_vector(d_normed, b.d_normed.data() + place * d, d);
      b.normed.copy_row(place, b_.normed_mid, row);
    }
    router_gradient(layer, block, row, d_normed, scratch);
    finish_row(layer, block, row, d_normed);
  }
  output_gradient(layer, block, worker);
}

namespace {

// Of logits whose softmax is known: the largest one's logarithm stands for all.
float log_sum_exp(std::span<const float> logits, std::span<const float> probabilities) {
  const auto largest = std::ranges::max_element(logits) - logits.begin();
  return logits[static_cast<std::size_t>(largest)] - std::log(probabilities[static_cast<std::size_t>(largest)]);
}

}  // namespace

void LayerBackward::router_gradient(std::int64_t layer, std::int64_t block, std::int64_t row, float* d_normed,
                                    float* scratch) {
  const std::int64_t d = config_.hidden_size;
  const std::int64_t k = config_.moe.top_k;
  const auto num_experts = static_cast<std::size_t>(config_.moe.num_experts);
  const Routes& routed = routes(layer);
  ExpertBuffers& b = b_.experts;
  const std::span<const float> logits(routed.logits.data() + row * config_.moe.num_experts, num_experts);
  const std::span<float> d_logits(b.d_logits.data() + row * config_.moe.num_experts, num_experts);
  const std::span<float> probabilities(scratch, num_experts);
  const std::span<float> d_probabilities(scratch + num_experts, num_experts);
  router_probabilities(logits, probabilities);
  std::ranges::fill(d_probabilities, 0.0F);
  const RouterGradient* more = b_.router_gradient;
  const float count = more == nullptr ? 0.0F : more->row_counts[static_cast<std::size_t>(row)];
  if (more != nullptr) {
    add_scaled(d_probabilities.data(), count, more->by_probability[static_cast<std::size_t>(layer)].data(),
               config_.moe.num_experts);
  }
  router_backward(router_shape(config_), probabilities, routed.experts.data() + row * k,
                  routed.weights.data() + row * k, b.d_weights.data() + row * k, d_probabilities, d_logits);
  if (more != nullptr && more->z != 0) {  // d (log sum exp)^2 = 2 (log sum exp) p
    add_scaled(d_logits.data(), 2 * more->z * count * log_sum_exp(logits, probabilities), probabilities.data(),
               config_.moe.num_experts);
  }
  const float* weight = engine_.weights.value(offsets(layer).router);
  for (std::size_t e = 0; e < num_experts; ++e) {
    add_scaled(d_normed, d_logits[e], weight + static_cast<std::int64_t>(e) * d, d);
  }
  if (offsets(layer).shared_gate != kAbsent) {
    const float gate = routed.shared_gates.data()[row];
    const float d_logit = b.d_shared_gate.data()[row] * gate * (1.0F - gate);
    add_scaled(d_normed, d_logit, engine_.weights.value(offsets(layer).shared_gate), d);
    add_scaled(b_.vectors.at(block, offsets(layer).shared_gate), d_logit, b.router_input.data() + row * d, d);
  }
}

void LayerBackward::add_expert_weight_tasks(std::int64_t layer) {
  const std::int64_t d = config_.hidden_size;
  ExpertBuffers& b = b_.experts;
  for (std::int64_t e = 0; e < b.order.num_experts(); ++e) {
    const FeedForwardOffsets& expert = offsets(layer).experts[static_cast<std::size_t>(e)];
    const RowRange rows = {b.order.begin(e), b.order.padded_end(e)};
    const auto add = [&](const Operand& dy, const Operand& x, std::int64_t offset) {
      for (std::int64_t begin = 0; rows.end > rows.begin && begin < dy.columns(); begin += kGradientPanel) {
        const std::int64_t end = std::min(dy.columns(), begin + kGradientPanel);
        tasks_.emplace_back([this, &dy, &x, rows, offset, begin, end](int worker) {
          const TraceSpan span("expert weight gradient");
          accumulate_weight_gradient(dy, x, rows, begin, end, engine_.weights.gradient(offset), scratch(worker));
        });
      }
    };
    add(b.d_out, b.activated, expert.down);
    add(b.d_gate_up, b.normed, expert.gate_up);
    tasks_.emplace_back([this, layer, e, d](int /*worker*/) {
      const TraceSpan span("router weight gradient");
      float* gradient = engine_.weights.gradient(offsets(layer).router) + e * d;
      for (std::int64_t row = 0; row < rows_; ++row) {
        add_scaled(gradient, b_.experts.d_logits.data()[row * config_.moe.num_experts + e],
                   b_.experts.router_input.data() + row * d, d);
      }
    });
  }
}

}  // namespace plumb
