#pragma once
// The meaning of a GGUF file's keys and tensor names for models of the Llama and Qwen families.

#include <memory>
#include <string>

#include "core/result.h"
#include "formats/gguf.h"
#include "formats/model_folder.h"

namespace plumb {

/// The model in `file`. Errors: see open_model().
Result<std::unique_ptr<ModelSource>> gguf_model(GgufFile file);

/// Writes a model as GGUF version 3. Matrices take `type`, but F16 where their rows are no multiple of a block of Q8_0;
/// vectors and routers stay F32. Errors: a family or rotary scaling that GGUF's readers lack, a tensor that `source`
/// cannot read, a full disk; the file is whole or absent.
Result<void> write_gguf_model(const std::string& path, const ModelSource& source, GgufType type);

}  // namespace plumb
