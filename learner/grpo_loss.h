#pragma once
// The policy-gradient loss of the GRPO family and its derivative by each token's log-prob. The options compose: ratio,
// clip, aggregation (learner/aggregation.h), divergence from a reference, entropy. docs/learner.md is the overview.
//
// Three policies have names: mu drew the tokens (the actor's, log-probs as recorded), pi_prox is the learner's at the
// start of the update, pi is the learner's now. Where nothing is stale mu and pi_prox are the same bits.

#include <cstdint>
#include <span>
#include <vector>

namespace plumb {

enum class RatioKind : std::uint8_t {
  kToken,     // r_t = pi / pi_old of each token: GRPO, DAPO, Dr. GRPO
  kSequence,  // s = exp(mean over the completion of log r_t), one for all tokens. GSPO: Zheng et al., 2025, arXiv
              // 2507.18071, eq. 5 and 7; published clips are 3e-4 low, 4e-4 high
  kCispo,     // min(r_t, 1 + clip_high), detached, times A log pi: no token loses its gradient. MiniMax-M1, 2025, arXiv
              // 2506.13585, eq. 4 and 5 (no lower clip, as published)
};

/// How the distance to a reference enters the loss. d = log pi_ref - log pi of a token (Schulman, "Approximating KL
/// divergence", 2020). k1 = -d is not among them: the gradient of -d is the score function, whose mean is 0.
enum class KlLoss : std::uint8_t {
  kNone,
  kK2,        // d^2 / 2: its gradient is, in expectation, that of the reverse KL
  kK3,        // exp(d) - 1 - d: positive. GRPO: arXiv 2402.03300, eq. 4
  kUnbiased,  // r_t (exp(d) - 1 - d), gradient through both factors. DeepSeek-V3.2, 2025, arXiv 2512.02556, eq. 7
};

struct GrpoLossOptions {
  RatioKind ratio = RatioKind::kToken;
  float clip_low = 0.2F;   // ratio below 1 - clip_low is clipped where the advantage is negative
  float clip_high = 0.2F;  // ratio above 1 + clip_high is clipped where the advantage is positive
  float dual_clip = 0.0F;  // c > 1 + clip_high: where A < 0 the objective is at least c A. 0: none. Ye et al., 2019,
                           // arXiv 1912.09729
  KlLoss kl = KlLoss::kNone;
  float kl_coefficient = 0.0F;
  float entropy_coefficient = 0.0F;
};

/// One completion's tokens [begin, end) and what its share of the loss is divided by (learner/aggregation.h).
struct LossSequence {
  std::size_t begin = 0;
  std::size_t end = 0;
  double denominator = 1;
};

/// The tokens of one micro-batch, completion after completion; all spans are [R] or, where it says so, empty.
struct GrpoLossInput {
  std::span<const float> new_log_probs;
  std::span<const float> raw_log_probs;        // of softmax(logits), that kl compares; empty: new_log_probs are raw
  std::span<const float> old_log_probs;        // of mu (coupled) or pi_prox (decoupled)
  std::span<const float> advantages;           // per token
  std::span<const float> entropies;            // of the raw distribution, nats
  std::span<const float> reference_log_probs;  // empty without kl
  std::span<const float> importance;           // detached factors (learner/importance.h); empty: 1
  std::span<const std::uint8_t> policy_mask;   // 0 takes a token out of the policy term alone; empty: all are in
  std::span<const LossSequence> sequences;     // tile the tokens in order
};

/// Sums over tokens; divide by the batch's number of tokens for means.
struct GrpoLossSums {
  double loss = 0;
  double kl = 0;            // of the old policy from the learner, estimator k3: exp(d) - 1 - d with d = new - old
  double reference_kl = 0;  // of the learner from the reference, by the chosen estimator
  double entropy = 0;
  double max_ratio_deviation = 0;   // max |r_t - 1|
  double actor_difference = 0;      // |log-prob - the actor's|, and its maximum, where the actor is not exact;
  double max_actor_difference = 0;  // grpo_loss leaves both 0
  std::int64_t clipped_low = 0;     // tokens at which a clip rules
  std::int64_t clipped_high = 0;
  std::int64_t num_tokens = 0;

  void add(const GrpoLossSums& other);
};

/// loss = sum_t (w_t m_t P_t + beta K_t - c H_t) / denominator of t's completion, with importance w, mask m and
///   P_t = -min(r_t A_t, clip(r_t, 1 - low, 1 + high) A_t)    PPO: Schulman et al., 2017, arXiv 1707.06347, eq. 7
/// or as RatioKind says. K_t as KlLoss says, of raw log-probs; r_t is pi / old, so in decoupled mode w_t r_t, and not
/// r_t, is the pi / mu of kUnbiased's K_t, w_t r_t (exp(d) - 1 - d). The entropy's derivative is taken at the sampled
/// token,
///   dH ~ -w_t r_t (log pi + H_t) dlog pi (w_t r_t detached),
/// whose mean over mu is the exact gradient (the score function has mean 0) as far as w is not truncated; it needs mu
/// untruncated at temperature 1. k2 and k3 have no ratio in them, as published.
///   d_log_probs      [R] out (=): d loss / d new_log_probs
///   d_raw_log_probs  [R] out (=): d loss / d raw_log_probs; empty where those are
/// Sums run in f64 in token order; bits depend on the input alone.
GrpoLossSums grpo_loss(const GrpoLossInput& input, const GrpoLossOptions& options, std::span<float> d_log_probs,
                       std::span<float> d_raw_log_probs = {});

}  // namespace plumb
