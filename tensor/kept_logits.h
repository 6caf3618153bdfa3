#pragma once
// Takes the tokens that truncated sampling left out of a row of logits.

#include <cstdint>
#include <span>

#include "core/kept_set.h"

namespace plumb {

/// What a logit becomes that is left out: so low that its probability is exactly 0 beside any other, and finite, so
/// that sums over probability times logit stay numbers.
inline constexpr float kMaskedLogit = -1e30F;

/// Sets the logits outside of `kept` to kMaskedLogit.
///   logits  [n]  f32, raw, of the tokens first_id, first_id + 1, ...
void mask_outside(const KeptSet& kept, std::int64_t first_id, std::span<float> logits);

}  // namespace plumb
