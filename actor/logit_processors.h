#pragma once
// What is added to logits by hand or by history before the temperature: never in training (check_trainable()).

#include <span>

#include "actor/sampling.h"

namespace plumb {

/// Applies logit bias, penalties, bad words and minimum length, in this order (what is masked stays masked). `logits`
/// [V] in place.
void process_logits(const SamplingOptions& options, const TokenHistory& history, std::span<float> logits);

}  // namespace plumb
