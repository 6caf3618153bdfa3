#pragma once
// The processing steps of a tokenizer.json: normalizer, pre-tokenizer, post-processor and decoder.

#include <nlohmann/json_fwd.hpp>

#include "core/result.h"
#include "formats/tokenizer_data.h"

namespace plumb {

/// Fills in normalizer, pre_tokenizer or split_steps, byte_level, decoder, prefix_ids and suffix_ids of `data`, whose
/// tokens are there already. Errors: a step, option or pattern form that is not supported, by name.
Result<void> read_tokenizer_steps(const nlohmann::json& root, TokenizerData& data);

}  // namespace plumb
