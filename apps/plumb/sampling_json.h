#pragma once
// Sampling options of one row of JSON.

#include <nlohmann/json.hpp>

#include "actor/sampling.h"
#include "core/result.h"

namespace plumb {

/// `base` with the keys of the object `json` in their places: temperature, top_k, top_p, min_p, typical_p,
/// repetition_penalty, presence_penalty, frequency_penalty, logit_bias ({"token id": bias}), bad_words ([[ids]]),
/// min_new_tokens, max_new_tokens, stop (a text or texts), stop_token_ids, stop_after_code_block.
/// Errors: an unknown key, or a value of another type than it takes; both by name.
Result<SamplingOptions> sampling_from_json(const nlohmann::json& json, SamplingOptions base);

}  // namespace plumb
