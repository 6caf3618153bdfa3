#pragma once
// What a GGUF file has room for.

#include "core/result.h"
#include "formats/model_folder.h"

namespace plumb {

/// Whether the model survives in a GGUF file: llama.cpp computes the same with it, and plumb reads the same again.
/// Errors: the first property that would be lost, with its value.
Result<void> check_gguf_limits(const ModelSource& source);

}  // namespace plumb
