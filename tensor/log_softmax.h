#pragma once
// softmax(logits * inverse_temperature) without its [V] output: the numbers from which the sampler and the learner
// take log-probs. Both use log_prob_of, so that a log-prob is the same number on both sides.

#include <cstdint>
#include <span>
#include <vector>

namespace plumb {

/// Logits are summed in blocks of this many, in index order.
inline constexpr std::int64_t kLogitBlock = 256;

/// Of z[v] = logits[v] * inverse_temperature.
struct LogitStats {
  float max = 0;          // of z
  float log_sum_exp = 0;  // log sum exp(z)
  float entropy = 0;      // of softmax(z), in nats
};

/// Bits depend on the logits alone. `block_sums`, where given, becomes the sum of exp(z - max) of each block of
/// kLogitBlock logits, in index order.
///   logits  [V]  f32, V > 0
LogitStats logit_stats(std::span<const float> logits, float inverse_temperature, std::vector<float>* block_sums);

/// log softmax(z) at a token whose raw logit is `logit`, in nats.
inline float log_prob_of(float logit, float inverse_temperature, const LogitStats& stats) {
  return logit * inverse_temperature - stats.log_sum_exp;
}

/// d_logits[v] = -weight * inverse_temperature * softmax(z)[v] for a slice of the vocabulary: the part of a log-prob's
/// gradient that all targets of a row share. (The target's own +1 is the caller's.)
///   logits    [n]  a slice of the row
///   d_logits  [n]  out (=); may be logits
void softmax_backward(std::span<const float> logits, float inverse_temperature, const LogitStats& stats, float weight,
                      float* d_logits);

}  // namespace plumb
