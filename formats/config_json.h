#pragma once
// Hugging Face's config.json, of the families in formats/families/.

#include <string>
#include <string_view>

#include "core/result.h"
#include "formats/hyperparameters.h"

namespace plumb {

/// The hyperparameters in `text`; `name` is for messages. Both spellings of rotary options are known (rope_theta and
/// rope_scaling, and rope_parameters of newer files). Errors: no JSON object, an architecture that no family has, an
/// option whose arithmetic is not supported, a key that is not known, a missing or impossible number: by key.
Result<Hyperparameters> parse_config_json(std::string_view text, const std::string& name);

/// The text of a config.json that transformers builds the same model from. `dtype` is "float32" or "bfloat16"; an id of
/// -1 is written as null. The architecture is a registered family's.
std::string make_config_json(const Hyperparameters& hyperparameters, const std::string& dtype, int bos_id, int eos_id,
                             int pad_id);

}  // namespace plumb
