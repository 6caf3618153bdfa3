#pragma once
// Where a command writes a new model.

#include <string>
#include <vector>

#include "formats/model_folder.h"

namespace plumb {

/// `target` without what does not matter (a closing slash). Errors: something is there already (nothing is written
/// over: neither another model, nor a folder of something else, nor a source), or it names no file.
Result<std::string> free_target(const std::string& command, const std::string& target);

/// Writes `tensors` under `description` as a Hugging Face folder. Errors: a `dtype` other than "f32" and "bf16";
/// write_model_folder's.
Result<void> write_folder(const std::string& folder, const ModelDescription& description,
                          const std::vector<SourceTensor>& tensors, const std::string& dtype);

/// "TARGET: mixtral, 3.1M parameters, 1.0M of them for a token, f32\n"
std::string describe_written(const std::string& target, const Hyperparameters& hyperparameters,
                             const std::string& dtype);

}  // namespace plumb
