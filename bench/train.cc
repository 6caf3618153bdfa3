#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "bench/flop.h"
#include "bench/load.h"
#include "core/rng.h"
#include "tensor/dtype.h"
#include "tensor/operand.h"

namespace plumb {
namespace {

struct Batch {
  PackedBatch tokens;
  ScoreTargets targets;
  std::vector<float> d_log_probs;  // of the mean log-prob
};

Batch random_batch(const Policy& policy, const TrainLoad& load) {
  Batch batch;
  const RngStream stream(RngPurpose::kData, 6);
  std::uint32_t position = 0;
  const auto random_token = [&] {
    return static_cast<std::int32_t>(stream.below(static_cast<std::uint64_t>(policy.config().vocab_size), position++));
  };
  for (std::int64_t s = 0; s < load.num_sequences; ++s) {
    const std::int64_t first = batch.tokens.num_tokens();
    batch.tokens.segments.push_back(
        {.first_row = first, .num_tokens = load.tokens_each, .start_position = 0, .parent = -1});
    for (std::int64_t t = 0; t < load.tokens_each; ++t) {
      batch.tokens.token_ids.push_back(random_token());
      batch.targets.rows.push_back(first + t);
      batch.targets.target_ids.push_back(random_token());
      batch.d_log_probs.push_back(1.0F / static_cast<float>(load.num_sequences * load.tokens_each));
    }
  }
  return batch;
}

double mean_log_prob(Policy& policy, const Batch& batch) {
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
double rise_along_gradient(Policy& policy, const Batch& batch) {
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

// On weights rounded to bf16, which are put back afterwards.
Result<double> check(Policy& policy, const Batch& batch, ForwardTape& tape) {
  std::vector<std::vector<float>> saved;
  for (ParameterView& view : policy.parameters()) {
    saved.emplace_back(view.value.begin(), view.value.end());
    round_to_bfloat16(view.value.data(), static_cast<std::int64_t>(view.value.size()), view.value.data());
  }
  policy.commit_update();
  if (policy.forward(batch.tokens, batch.targets, tape).log_probs !=
      policy.score(batch.tokens, batch.targets).log_probs) {
    return Error{"bench train: a token's log-prob with a tape differs from the one without"};
  }
  policy.backward(tape, batch.d_log_probs);
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

}  // namespace

Result<BenchResult> bench_train(Policy& policy, ThreadPool& pool, const TrainLoad& load) {
  const Batch batch = random_batch(policy, load);
  ForwardTape tape;
  PLUMB_ASSIGN(const double rise, check(policy, batch, tape));
  BenchResult result;
  result.seconds = std::numeric_limits<double>::infinity();
  for (int repetition = 0; repetition < load.repetitions; ++repetition) {
    policy.zero_gradients();
    const double start = now_s();
    policy.forward(batch.tokens, batch.targets, tape);
    const double forward = now_s();
    policy.backward(tape, batch.d_log_probs);
    const double end = now_s();
    if (end - start < result.seconds) {
      result.seconds = end - start;
      result.details = {{"forward_seconds", forward - start}, {"backward_seconds", end - forward}};
    }
  }
  policy.zero_gradients();
  result.name = "train";
  result.tokens = load.num_sequences * load.tokens_each;
  result.flop =
      static_cast<double>(load.num_sequences) *
      training_flop(policy.config(),
                    {.start_position = 0, .num_tokens = load.tokens_each, .num_logit_rows = load.tokens_each});
  result.threads = pool.num_threads();
  result.dtype = policy.dtype();
  result.checked = "log-probs equal the sampler's; the objective rises along the gradient as the gradient says";
  result.details["rise_along_gradient"] = rise;
  result.details["sequences"] = load.num_sequences;
  result.details["tokens_each"] = load.tokens_each;
  return result;
}

}  // namespace plumb
