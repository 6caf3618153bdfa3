#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "bench/flop.h"
#include "bench/load.h"
#include "bench/random_batch.h"
#include "core/hash.h"
#include "core/trace.h"
#include "learner/optimizer.h"
#include "tensor/dtype.h"
#include "tensor/operand.h"

namespace plumb {
namespace {

double mean_log_prob(Policy& policy, const RandomBatch& batch) {
  double sum = 0;
  for (const float log_prob : policy.score(batch.tokens, batch.targets).log_probs) {
    sum += static_cast<double>(log_prob);
  }
  return sum / static_cast<double>(batch.targets.rows.size());
}

// In nats of the mean log-prob: small enough for the first order to rule, large enough to stand out of rounding.
constexpr double kExpectedRise = 0.02;

// `value`, a bf16 number other than 0, moved to the next bf16 number in the direction of `gradient`.
float step_uphill(float value, float gradient) {
  Bfloat16 moved = to_bfloat16(value);
  const bool grows = (gradient > 0) == (value > 0);
  moved.bits = static_cast<std::uint16_t>(moved.bits + (grows ? 1 : -1));
  return to_float(moved);
}

double rise_of_step(float value, float gradient) {
  return static_cast<double>(gradient) * static_cast<double>(step_uphill(value, gradient) - value);
}

// Moves every n-th weight to the next bf16 number uphill, n such that the mean log-prob should rise by kExpectedRise;
// the weights are bf16 numbers already, so no rounding hides or adds anything. Returns the rise as a share of the
// expected one: 1 to first order.
double rise_along_gradient(Policy& policy, const RandomBatch& batch) {
  const double before = mean_log_prob(policy, batch);
  double rise_of_all = 0;
  for (const ParameterView& view : policy.parameters()) {
    for (std::size_t i = 0; i < view.value.size(); ++i) {
      rise_of_all += view.value[i] == 0 ? 0.0 : rise_of_step(view.value[i], view.gradient[i]);
    }
  }
  const auto stride = static_cast<std::size_t>(std::max(1.0, rise_of_all / kExpectedRise));
  double expected = 0;
  std::size_t index = 0;
  for (ParameterView& view : policy.parameters()) {
    for (std::size_t i = 0; i < view.value.size(); ++i) {
      if (index++ % stride == 0 && view.value[i] != 0) {
        expected += rise_of_step(view.value[i], view.gradient[i]);
        view.value[i] = step_uphill(view.value[i], view.gradient[i]);
      }
    }
  }
  policy.commit_update();
  return (mean_log_prob(policy, batch) - before) / expected;
}

std::string gradient_checksum(Policy& policy) {
  Sha256 sum;
  for (const ParameterView& view : policy.parameters()) {
    sum.update(std::as_bytes(view.gradient));
  }
  return sum.hex();
}

// The gradient that the policy already holds against the one with checkpoints, bit for bit.
Result<void> check_checkpointing(Policy& policy, const RandomBatch& batch) {
  const std::string expected = gradient_checksum(policy);
  policy.zero_gradients();
  policy.set_activation_checkpointing(true);
  ForwardTape tape;
  policy.forward(batch.tokens, batch.targets, tape);
  policy.backward(tape, batch.d_log_probs);
  policy.set_activation_checkpointing(false);
  if (gradient_checksum(policy) != expected) {
    return Error{"bench train: activation checkpointing changed a gradient's bits"};
  }
  return {};
}

// On weights rounded to bf16, which are put back afterwards.
Result<double> check(Policy& policy, const RandomBatch& batch, bool checkpointing) {
  std::vector<std::vector<float>> saved;
  for (ParameterView& view : policy.parameters()) {
    saved.emplace_back(view.value.begin(), view.value.end());
    round_to_bfloat16(view.value.data(), static_cast<std::int64_t>(view.value.size()), view.value.data());
  }
  policy.commit_update();
  ForwardTape tape;
  if (policy.forward(batch.tokens, batch.targets, tape).log_probs !=
      policy.score(batch.tokens, batch.targets).log_probs) {
    return Error{"bench train: a token's log-prob with a tape differs from the one without"};
  }
  policy.backward(tape, batch.d_log_probs);
  if (checkpointing) {
    PLUMB_TRY(check_checkpointing(policy, batch));
  }
  const double rise = rise_along_gradient(policy, batch);
  for (std::size_t i = 0; i < saved.size(); ++i) {
    std::copy(saved[i].begin(), saved[i].end(), policy.parameters()[i].value.begin());
  }
  policy.commit_update();
  if (!(rise > 0.5 && rise < 1.5)) {
    return Error{"bench train: small steps uphill raised the objective by " + std::to_string(rise) +
                 " of what the gradient promises; the backward is wrong"};
  }
  return rise;
}

struct Times {
  double forward = 0;
  double backward = 0;
  double adamw = std::numeric_limits<double>::infinity();
  double peak_rss_mib = 0;
  [[nodiscard]] double products() const { return forward + backward; }
};

// The fastest forward and backward, the fastest AdamW (at learning rate 0, so that weights stay), and the peak of all.
Times time_steps(Policy& policy, const RandomBatch& batch, Optimizer& optimizer, int repetitions) {
  ForwardTape tape;
  Times best;
  best.forward = std::numeric_limits<double>::infinity();
  reset_peak_rss();
  restart_trace();
  for (int repetition = 0; repetition < repetitions; ++repetition) {
    policy.zero_gradients();
    const double start = now_s();
    policy.forward(batch.tokens, batch.targets, tape);
    const double forward = now_s();
    policy.backward(tape, batch.d_log_probs);
    const double end = now_s();
    if (end - start < best.products()) {
      best.forward = forward - start;
      best.backward = end - forward;
    }
    optimizer.step(0.0F);
    best.adamw = std::min(best.adamw, now_s() - end);
  }
  best.peak_rss_mib = peak_rss_mib();
  return best;
}

nlohmann::json describe(const Times& times, std::int64_t tokens) {
  const auto count = static_cast<double>(tokens);
  return {{"forward_seconds", times.forward},
          {"backward_seconds", times.backward},
          {"adamw_seconds", times.adamw},
          {"step_tokens_per_second", count / (times.products() + times.adamw)},
          {"step_peak_rss_mib", times.peak_rss_mib}};
}

}  // namespace

Result<BenchResult> bench_train(Policy& policy, ThreadPool& pool, const TrainLoad& load) {
  const RandomBatch batch = random_batch(policy, load);
  PLUMB_ASSIGN(const double rise, check(policy, batch, load.checkpointing));
  Optimizer optimizer(policy, pool, {});
  BenchResult result;
  result.name = "train";
  result.tokens = load.num_sequences * load.tokens_each;
  nlohmann::json with_checkpoints;
  if (load.checkpointing) {  // first: a peak can be measured again only where it is lower
    policy.set_activation_checkpointing(true);
    with_checkpoints = describe(time_steps(policy, batch, optimizer, load.repetitions), result.tokens);
    policy.set_activation_checkpointing(false);
  }
  const Times times = time_steps(policy, batch, optimizer, load.repetitions);
  policy.zero_gradients();
  result.seconds = times.products();
  result.details = describe(times, result.tokens);
  if (load.checkpointing) {
    result.details["checkpointing"] = with_checkpoints;
  }
  result.flop =
      static_cast<double>(load.num_sequences) *
      training_flop(policy.config(),
                    {.start_position = 0, .num_tokens = load.tokens_each, .num_logit_rows = load.tokens_each});
  result.threads = pool.num_threads();
  result.dtype = policy.dtype();
  result.checked = "log-probs equal the sampler's; the objective rises along the gradient as the gradient says";
  if (load.checkpointing) {
    result.checked += "; checkpointing gives the same bits of every gradient";
  }
  result.details["rise_along_gradient"] = rise;
  result.details["sequences"] = load.num_sequences;
  result.details["tokens_each"] = load.tokens_each;
  return result;
}

}  // namespace plumb
