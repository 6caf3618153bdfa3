#include "formats/model_folder.h"

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <system_error>
#include <utility>

#include "core/atomic_file.h"
#include "formats/config_json.h"
#include "formats/gguf_model.h"
#include "formats/safetensors.h"
#include "formats/tokenizer_json.h"

namespace plumb {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxJsonBytes = std::uint64_t{1} << 28;

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

Result<void> read_tokenizer(const fs::path& folder, ModelDescription& model) {
  const std::string path = (folder / "tokenizer.json").string();
  PLUMB_ASSIGN(const auto text, read_file(path, kMaxJsonBytes));
  PLUMB_ASSIGN(model.tokenizer, parse_tokenizer_json(text, path));
  const std::string config_path = (folder / "tokenizer_config.json").string();
  PLUMB_ASSIGN(const auto config, read_file(config_path, kMaxJsonBytes));
  PLUMB_ASSIGN(model.chat_template, parse_tokenizer_config_json(config, config_path, model.tokenizer));
  if (const fs::path jinja = folder / "chat_template.jinja"; is_there(jinja)) {
    PLUMB_ASSIGN(model.chat_template, read_file(jinja.string(), kMaxJsonBytes));
  }
  if (model.tokenizer.tokens.size() > static_cast<std::size_t>(model.hyperparameters.vocab_size)) {
    return Error{path + ": has " + std::to_string(model.tokenizer.tokens.size()) +
                 " tokens, but config.json's vocab_size is " + std::to_string(model.hyperparameters.vocab_size)};
  }
  return {};
}

// Chat models end a turn by several tokens; the tokenizer's settings name one.
Result<void> read_end_ids(const fs::path& folder, TokenizerData& tokenizer) {
  for (const char* name : {"config.json", "generation_config.json"}) {
    const std::string path = (folder / name).string();
    if (!is_there(path)) {
      continue;
    }
    PLUMB_ASSIGN(const auto text, read_file(path, kMaxJsonBytes));
    PLUMB_TRY(add_end_ids(text, path, tokenizer));
  }
  return {};
}

class FolderModel final : public ModelSource {
 public:
  explicit FolderModel(ModelDescription description) : ModelSource(std::move(description)) {}

  Result<void> load(const fs::path& folder) {
    folder_ = folder.string();
    PLUMB_TRY(load_weights(folder));
    if (hyperparameters.tie_embeddings) {
      places_.erase("lm_head.weight");
    }
    // Tables that older files keep of what follows from the configuration.
    std::erase_if(places_, [](const auto& place) { return place.first.ends_with(".rotary_emb.inv_freq"); });
    return {};
  }

  [[nodiscard]] std::vector<std::string> tensor_names() const override {
    std::vector<std::string> names;
    for (const auto& [name, file] : places_) {
      names.push_back(name);
    }
    return names;
  }

  [[nodiscard]] std::vector<std::int64_t> shape_of(const std::string& name) const override {
    return files_[places_.at(name)].entries().at(name).shape;
  }

  [[nodiscard]] Result<SourceTensor> read(const std::string& name) const override {
    const auto found = places_.find(name);
    if (found == places_.end()) {
      return Error{folder_ + ": holds no tensor " + name};
    }
    return files_[found->second].read(name);
  }

 private:
  Result<void> load_weights(const fs::path& folder) {
    if (is_there(folder / "model.safetensors")) {
      return add_file(folder / "model.safetensors");
    }
    const std::string path = (folder / "model.safetensors.index.json").string();
    if (!is_there(path)) {
      return Error{folder.string() + ": holds neither model.safetensors nor model.safetensors.index.json"};
    }
    PLUMB_ASSIGN(const auto text, read_file(path, kMaxJsonBytes));
    const auto index = nlohmann::json::parse(text, nullptr, false);
    if (!index.is_object() || !index.contains("weight_map") || !index["weight_map"].is_object()) {
      return Error{path + ": needs an object \"weight_map\" of tensors and files"};
    }
    std::set<std::string> names;
    for (const auto& [tensor, file] : index["weight_map"].items()) {
      if (!file.is_string() || fs::path(file.get<std::string>()).filename() != file.get<std::string>()) {
        return Error{path + ": the file of tensor " + tensor + " must be a name within the folder"};
      }
      names.insert(file.get<std::string>());
    }
    for (const std::string& name : names) {
      PLUMB_TRY(add_file(folder / name));
    }
    for (const auto& [tensor, file] : index["weight_map"].items()) {
      if (!places_.contains(tensor)) {
        return Error{path + ": names the tensor " + tensor + ", which " + file.get<std::string>() + " does not hold"};
      }
    }
    return {};
  }

  Result<void> add_file(const fs::path& path) {
    PLUMB_ASSIGN(auto file, SafetensorsFile::open(path.string()));
    for (const auto& [name, entry] : file.entries()) {
      if (!places_.emplace(name, files_.size()).second) {
        return Error{path.string() + ": holds the tensor " + name + ", which another file of the model holds too"};
      }
    }
    files_.push_back(std::move(file));
    return {};
  }

  std::string folder_;
  std::vector<SafetensorsFile> files_;
  std::map<std::string, std::size_t> places_;  // tensor name -> index in files_
};

}  // namespace

Result<ModelDescription> read_model_description(const std::string& folder) {
  ModelDescription model;
  const std::string path = (fs::path(folder) / "config.json").string();
  PLUMB_ASSIGN(const auto config, read_file(path, kMaxJsonBytes));
  PLUMB_ASSIGN(model.hyperparameters, parse_config_json(config, path));
  PLUMB_TRY(read_tokenizer(folder, model));
  PLUMB_TRY(read_end_ids(folder, model.tokenizer));
  return model;
}

Result<std::unique_ptr<ModelSource>> open_model(const std::string& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status)) {
    return Error{path + ": no such file or folder; give a GGUF file or a Hugging Face model folder"};
  }
  if (fs::is_directory(status)) {
    PLUMB_ASSIGN(ModelDescription description, read_model_description(path));
    auto model = std::make_unique<FolderModel>(std::move(description));
    PLUMB_TRY(model->load(path));
    return std::unique_ptr<ModelSource>(std::move(model));
  }
  PLUMB_ASSIGN(auto file, GgufFile::open(path));
  return gguf_model(std::move(file));
}

}  // namespace plumb
