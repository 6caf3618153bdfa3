#include "apps/plumb/workbench.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "core/hash.h"
#include "policy/model_layout.h"

namespace plumb {

Result<void> check_tensors(const ModelSource& source, const std::string& path) {
  std::vector<OfferedTensor> offered;
  for (const std::string& name : source.tensor_names()) {
    offered.push_back({name, source.shape_of(name)});
  }
  const auto checked = check_tensors(source.hyperparameters, offered);
  return checked ? Result<void>() : checked.error().with_context(path);
}

Result<std::unique_ptr<Workbench>> Workbench::open(std::unique_ptr<ModelSource> source, const ModelSettings& settings,
                                                   bool trainable) {
  std::unique_ptr<Workbench> bench(new Workbench(settings.threads));
  PLUMB_ASSIGN(bench->tokenizer_, Tokenizer::create(source->tokenizer));
  if (settings.talks) {
    PLUMB_ASSIGN(bench->chat_template_, ChatTemplate::create(source->chat_template, *bench->tokenizer_));
  }
  if (settings.talks && bench->tokenizer_->eos_id() < 0) {
    return Error{settings.path + ": the tokenizer names no end-of-sequence token, so no completion could end"};
  }
  PLUMB_TRY(check_tensors(*source, settings.path));
  std::vector<NamedTensor> weights;
  for (const std::string& name : source->tensor_names()) {
    PLUMB_ASSIGN(SourceTensor tensor, source->read(name));
    weights.push_back({std::move(tensor.name), std::move(tensor.shape), std::move(tensor.values)});
  }
  PolicyOptions options;
  options.dtype = settings.dtype;
  options.pool = &bench->pool_;
  options.trainable = trainable;
  options.activation_checkpointing = settings.activation_checkpointing;
  options.exact = settings.exact;
  PLUMB_ASSIGN(bench->policy_, Policy::create(source->hyperparameters, std::move(weights), options));
  bench->hyperparameters_ = source->hyperparameters;
  bench->tokenizer_data_ = std::move(source->tokenizer);
  bench->chat_template_text_ = std::move(source->chat_template);
  return bench;
}

Result<void> Workbench::save(const std::string& folder, LentValues* lender) {
  std::vector<TensorView> tensors;
  for (const ParameterView& parameter : policy_->parameters()) {
    tensors.push_back({parameter.name, parameter.shape, parameter.value, lender});
  }
  return write_model_folder(folder,
                            {hyperparameters_, tensors, SafetensorsDtype::kF32, tokenizer_data_, chat_template_text_});
}

Result<void> Workbench::load_weights(const std::string& folder) {
  PLUMB_ASSIGN(const auto saved, open_model(folder));
  for (ParameterView& parameter : policy_->parameters()) {
    PLUMB_ASSIGN(const SourceTensor tensor, saved->read(parameter.name));
    if (tensor.shape != parameter.shape) {
      return Error{fmt::format("{}: tensor '{}' has another shape than the model", folder, parameter.name)};
    }
    std::copy(tensor.values.begin(), tensor.values.end(), parameter.value.begin());
  }
  policy_->commit_update();
  return {};
}

Result<std::string> model_checksum(const std::string& path) {
  if (!std::filesystem::is_directory(path)) {
    return sha256_file(path);
  }
  std::vector<std::string> files;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(path, ignored)) {
    const std::string kind = entry.path().extension();
    if (kind == ".safetensors" || kind == ".json" || kind == ".jinja" || kind == ".model" || kind == ".txt") {
      files.push_back(entry.path().string());
    }
  }
  std::sort(files.begin(), files.end());
  Sha256 all;
  for (const std::string& file : files) {
    PLUMB_ASSIGN(const std::string one, sha256_file(file));
    all.update(std::filesystem::path(file).filename().string() + "\n" + one + "\n");
  }
  return all.hex();
}

}  // namespace plumb
