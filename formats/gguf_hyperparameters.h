#pragma once
// The metadata keys of a GGUF file that are a model's numbers, "<architecture>.<key>".

#include "core/result.h"
#include "formats/gguf.h"
#include "formats/gguf_metadata.h"
#include "formats/hyperparameters.h"

namespace plumb {

/// The numbers of the model in `file`, checked. Not in the keys but in what tensors there are: biases, tied embeddings,
/// and the rotary scaling of Llama 3. Errors: an architecture that is not supported, with those that are; a key that is
/// missing, or has a value that plumb has no arithmetic for.
Result<Hyperparameters> read_gguf_hyperparameters(const GgufFile& file);

/// Adds the keys of a model that check_gguf_limits() lets pass.
void add_gguf_hyperparameters(GgufMetadata& to, const Hyperparameters& h);

/// rope.scaling.yarn_log_multiplier, from which llama.cpp computes yarn's factor of scores, is a tenth of
/// mscale_all_dim.
float yarn_log_multiplier(const RopeScaling& rope);

}  // namespace plumb
