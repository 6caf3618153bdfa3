#pragma once
// Models as files: opens a GGUF file or a Hugging Face folder, writes a Hugging Face folder. Whatever the file, tensors
// have Hugging Face names, row-major shapes and the row order that rotate-half rotary positions expect.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/result.h"
#include "formats/hyperparameters.h"
#include "formats/tokenizer_data.h"

namespace plumb {

/// A tensor read from a file, as f32.
struct SourceTensor {
  std::string name;                 // e.g. "model.layers.0.self_attn.q_proj.weight"
  std::vector<std::int64_t> shape;  // row-major, outermost first; a projection is [out, in]
  std::vector<float> values;
};

/// A model but for its weights.
struct ModelDescription {
  Hyperparameters hyperparameters;
  TokenizerData tokenizer;
  std::string chat_template;  // Jinja text; empty where the model has none
};

/// Reads a Hugging Face folder's config.json, tokenizer.json, tokenizer_config.json and, where they are there,
/// chat_template.jinja and generation_config.json. Errors name the file and key; a tokenizer with more tokens than
/// vocab_size is one.
Result<ModelDescription> read_model_description(const std::string& folder);

/// An opened model. Tensors are read one at a time, on demand; const calls from many threads are safe.
struct ModelSource : ModelDescription {
  virtual ~ModelSource() = default;
  /// Names that read() knows, in the file's order. No "lm_head.weight" where hyperparameters.tie_embeddings.
  [[nodiscard]] virtual std::vector<std::string> tensor_names() const = 0;
  /// Its shape, without reading it. The name is one of tensor_names().
  [[nodiscard]] virtual std::vector<std::int64_t> shape_of(const std::string& name) const = 0;
  /// Errors: no such tensor, a shape that contradicts the hyperparameters, an unsupported dtype.
  [[nodiscard]] virtual Result<SourceTensor> read(const std::string& name) const = 0;

 protected:
  ModelSource() = default;
  explicit ModelSource(ModelDescription description) : ModelDescription(std::move(description)) {}
  ModelSource(const ModelSource&) = default;
  ModelSource& operator=(const ModelSource&) = default;
};

/// Opens `path`: a folder is taken as Hugging Face's (config.json, model.safetensors or its sharded form,
/// tokenizer.json, tokenizer_config.json), a file as GGUF. Architectures: formats/families/. Errors name the file and
/// key, and an architecture, tokenizer or option that is not supported, by name.
Result<std::unique_ptr<ModelSource>> open_model(const std::string& path);

class LentValues;  // core/lent_values.h

/// A tensor to be written; views memory that the caller keeps.
struct TensorView {
  std::string name;
  std::vector<std::int64_t> shape;
  std::span<const float> values;
  LentValues* lender = nullptr;  // says where the values are when they are written; null: they stay as they are
};

enum class SafetensorsDtype { kF32, kBf16 };

/// What goes into a model folder; refers to the caller's data.
struct ModelFolderContents {
  const Hyperparameters& hyperparameters;
  std::span<const TensorView> tensors;
  SafetensorsDtype dtype = SafetensorsDtype::kF32;  // kBf16 rounds to nearest, ties to even
  const TokenizerData& tokenizer;
  const std::string& chat_template;
};

/// Writes the folder `folder`, as transformers' AutoModelForCausalLM and AutoTokenizer load it: written aside as
/// "<folder>.tmp", fsynced and renamed, so that it is whole or absent; a folder that was there is replaced in the same
/// instant. Errors: a full disk or a folder that cannot be written, leaving what was there untouched.
Result<void> write_model_folder(const std::string& folder, const ModelFolderContents& contents);

}  // namespace plumb
