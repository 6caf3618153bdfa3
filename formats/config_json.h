#pragma once
// Hugging Face's config.json for the Llama family.

#include <string>
#include <string_view>

#include "core/result.h"
#include "formats/hyperparameters.h"

namespace plumb {

/// The hyperparameters in `text`; `name` is for messages. Both spellings of the rotary base are known (rope_theta, and
/// rope_parameters of newer files). Errors: no JSON object, another architecture than LlamaForCausalLM, an option that
/// changes the arithmetic (biases, rotary scaling, another activation), a missing or impossible number: by key.
Result<Hyperparameters> parse_config_json(std::string_view text, const std::string& name);

/// The text of a config.json. `dtype` is "float32" or "bfloat16"; an id of -1 is written as null.
std::string make_config_json(const Hyperparameters& hyperparameters, const std::string& dtype, int bos_id, int eos_id,
                             int pad_id);

}  // namespace plumb
