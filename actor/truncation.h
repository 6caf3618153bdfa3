#pragma once
// Top-k, top-p, min-p and typical sampling as one kept set.

#include <span>

#include "actor/sampling.h"

namespace plumb {

/// What the truncations of `options`, applied one after the other, leave of `logits` [V] at its temperature (> 0).
/// Tokens are ordered by logit, among equals by id; sums run in that order in f64, so the set is a function of the
/// logits alone. At least one token is kept.
KeptSet truncate(std::span<const float> logits, const SamplingOptions& options, SamplingScratch& scratch);

}  // namespace plumb
