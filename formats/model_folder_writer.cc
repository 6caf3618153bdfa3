#include <filesystem>
#include <nlohmann/json.hpp>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "core/atomic_file.h"
#include "formats/config_json.h"
#include "formats/model_folder.h"
#include "formats/safetensors.h"
#include "formats/tokenizer_json.h"

namespace plumb {
namespace {

namespace fs = std::filesystem;

std::vector<std::int32_t> end_tokens(const TokenizerData& tokenizer) {
  std::vector<std::int32_t> ids = tokenizer.end_ids;
  if (tokenizer.eos_id >= 0) {
    ids.insert(ids.begin(), tokenizer.eos_id);
  }
  return ids;
}

std::string generation_config(const TokenizerData& tokenizer) {
  nlohmann::ordered_json config = {{"_from_model_config", true}};
  for (const auto& [key, id] :
       {std::pair{"bos_token_id", tokenizer.bos_id}, std::pair{"eos_token_id", tokenizer.eos_id},
        std::pair{"pad_token_id", tokenizer.pad_id}}) {
    if (id >= 0) {
      config[key] = id;
    }
  }
  if (!tokenizer.end_ids.empty()) {
    config["eos_token_id"] = end_tokens(tokenizer);
  }
  return config.dump(2) + "\n";
}

Result<void> write_files(const fs::path& folder, const ModelFolderContents& contents) {
  const TokenizerData& tokenizer = contents.tokenizer;
  const std::string dtype = contents.dtype == SafetensorsDtype::kF32 ? "float32" : "bfloat16";
  PLUMB_ASSIGN(const auto files,
               make_tokenizer_files(tokenizer, contents.chat_template, contents.hyperparameters.max_positions));
  const std::string config =
      make_config_json(contents.hyperparameters, dtype, tokenizer.bos_id, tokenizer.eos_id, tokenizer.pad_id);
  const std::string generation = generation_config(tokenizer);
  for (const auto& [name, text] : {std::pair<const char*, std::string_view>{"config.json", config},
                                   {"generation_config.json", generation},
                                   {"tokenizer.json", files.tokenizer_json},
                                   {"tokenizer_config.json", files.tokenizer_config_json},
                                   {"special_tokens_map.json", files.special_tokens_map_json}}) {
    PLUMB_TRY(write_file_atomic((folder / name).string(), text));
  }
  return write_safetensors((folder / "model.safetensors").string(), contents.tensors, contents.dtype);
}

}  // namespace

Result<void> write_model_folder(const std::string& folder, const ModelFolderContents& contents) {
  const std::string aside = folder + ".tmp";
  std::error_code error;
  fs::remove_all(aside, error);  // what a killed run may have left
  PLUMB_TRY(ensure_writable_folder(aside));
  if (const auto written = write_files(aside, contents); !written) {
    fs::remove_all(aside, error);
    return written.error();
  }
  return commit_folder(aside, folder);
}

}  // namespace plumb
