#pragma once
// The meaning of a GGUF file's keys and tensor names for models of the Llama family.

#include <memory>
#include <string>

#include "core/result.h"
#include "formats/gguf.h"
#include "formats/model_folder.h"

namespace plumb {

/// The model in `file`. Errors: see open_model().
Result<std::unique_ptr<ModelSource>> gguf_model(GgufFile file);

/// "blk.3.attn_q.weight" -> "model.layers.3.self_attn.q_proj.weight" and so on; empty for a name that Llama lacks.
std::string hugging_face_name(const std::string& gguf_name);

}  // namespace plumb
