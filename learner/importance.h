#pragma once
// Corrections for completions that the learner's policy did not draw: detached factors of the
// policy term, and of the terms whose gradient at the sampled tokens is a mean over the actor (learner/grpo_loss.h).

#include <cstdint>
#include <span>
#include <vector>

namespace plumb {

/// Which pi_old the clipped ratio is against.
enum class OldPolicy : std::uint8_t {
  kCoupled,    // mu, the actor's: the ratio corrects by itself
  kDecoupled,  // pi_prox: the clip bounds the update, an importance factor pi_prox / mu corrects. Hilton et al., 2022,
               // arXiv 2110.00641; for stale language models AReaL: Fu et al., 2025, arXiv 2505.24298
};

/// The factor of a token from w_t = pi_prox / mu, with a cap C. "Sequence" forms take the product of a completion's w_t
/// for all of its tokens. Truncated: Espeholt et al., 2018, arXiv 1802.01561, eq. 1; Yao et al., "Your efficient RL
/// framework secretly brings you off-policy RL training", 2025. Masked: what is above the cap is left out.
enum class Importance : std::uint8_t {
  kNone,              // 1
  kTokenTruncate,     // min(w_t, C)
  kTokenMask,         // w_t, 0 above C
  kSequenceTruncate,  // min(prod w, C)
  kSequenceMask,      // prod w, 0 above C
};

/// The factors of one completion, [T]; products are exp of sums in f64 in token order.
std::vector<float> importance_factors(std::span<const float> prox_log_probs, std::span<const float> actor_log_probs,
                                      Importance importance, float cap);

}  // namespace plumb
