#include "apps/plumb/model_target.h"

#include <fmt/format.h>

#include <filesystem>

#include "policy/model_layout.h"

namespace plumb {

namespace fs = std::filesystem;

Result<std::string> free_target(const std::string& command, const std::string& target) {
  fs::path path = fs::path(target).lexically_normal();
  path = path.has_filename() ? path : path.parent_path();
  for (const fs::path& taken : {path, fs::path(path.string() + ".tmp")}) {
    std::error_code error;
    const fs::file_status status = fs::symlink_status(taken, error);
    if (fs::exists(status) && !(fs::is_directory(status) && fs::is_empty(taken, error))) {
      return Error{taken.string() + ": is there already, and " + command +
                   " overwrites nothing; name another target or remove it"};
    }
  }
  if (!path.has_filename() || path.filename() == "..") {
    return Error{target + ": is no name for a model; name a folder or a file that ends with .gguf"};
  }
  return path.string();
}

Result<void> write_folder(const std::string& folder, const ModelDescription& description,
                          const std::vector<SourceTensor>& tensors, const std::string& dtype) {
  if (dtype != "f32" && dtype != "bf16") {
    return Error{"--dtype " + dtype +
                 ": a Hugging Face folder takes f32 or bf16; name a target that ends with .gguf for f16 and q8_0"};
  }
  std::vector<TensorView> views;
  for (const SourceTensor& tensor : tensors) {
    views.push_back({tensor.name, tensor.shape, tensor.values});
  }
  const SafetensorsDtype type = dtype == "f32" ? SafetensorsDtype::kF32 : SafetensorsDtype::kBf16;
  return write_model_folder(
      folder, {description.hyperparameters, views, type, description.tokenizer, description.chat_template});
}

std::string describe_written(const std::string& target, const Hyperparameters& hyperparameters,
                             const std::string& dtype) {
  const ParameterCount count = count_parameters(hyperparameters);
  return fmt::format("{}: {}, {:.1f}M parameters, {:.1f}M of them for a token, {}\n", target,
                     hyperparameters.architecture, static_cast<double>(count.total) / 1e6,
                     static_cast<double>(count.active) / 1e6, dtype);
}

}  // namespace plumb
