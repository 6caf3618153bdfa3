#include "apps/plumb/checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "core/atomic_file.h"
#include "formats/safetensors.h"

namespace plumb {
namespace {

namespace fs = std::filesystem;

constexpr int kFormat = 1;
constexpr const char* kTrainerFile = "trainer.json";
constexpr const char* kOptimizerFile = "optimizer.safetensors";

// Whole checkpoints below the run folder, oldest first (zero-padded names sort by step).
std::vector<std::string> checkpoints_of(const std::string& run_folder) {
  std::vector<std::string> found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(run_folder + "/checkpoints", ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("step-") && name.find('.') == std::string::npos) {
      found.push_back(entry.path().string());
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

Result<void> write_optimizer(const std::string& path, Policy& policy, const Optimizer& optimizer) {
  std::vector<TensorView> tensors;
  for (std::size_t i = 0; i < policy.parameters().size(); ++i) {
    const ParameterView& parameter = policy.parameters()[i];
    tensors.push_back({"exp_avg." + parameter.name, parameter.shape, optimizer.first_moments()[i]});
    tensors.push_back({"exp_avg_sq." + parameter.name, parameter.shape, optimizer.second_moments()[i]});
  }
  return write_safetensors(path, tensors, SafetensorsDtype::kF32);
}

Result<void> read_optimizer(const std::string& path, std::int64_t num_updates, Policy& policy, Optimizer& optimizer) {
  PLUMB_ASSIGN(const SafetensorsFile file, SafetensorsFile::open(path));
  std::vector<std::vector<float>> first;
  std::vector<std::vector<float>> second;
  for (const ParameterView& parameter : policy.parameters()) {
    PLUMB_ASSIGN(SourceTensor average, file.read("exp_avg." + parameter.name));
    PLUMB_ASSIGN(SourceTensor squares, file.read("exp_avg_sq." + parameter.name));
    first.push_back(std::move(average.values));
    second.push_back(std::move(squares.values));
  }
  const Result<void> restored = optimizer.restore(std::move(first), std::move(second), num_updates);
  return restored ? restored : Result<void>(restored.error().with_context(path));
}

}  // namespace

Result<void> save_checkpoint(const std::string& run_folder, const TrainerState& state, Workbench& bench,
                             const Optimizer& optimizer, int keep) {
  const std::string final_path = fmt::format("{}/checkpoints/step-{:06d}", run_folder, state.step);
  const std::string aside = final_path + ".partial";
  PLUMB_TRY(ensure_writable_folder(run_folder + "/checkpoints"));
  PLUMB_TRY(bench.save(aside));
  PLUMB_TRY(write_optimizer(aside + "/" + kOptimizerFile, bench.policy(), optimizer));
  const nlohmann::json json = {{"format", kFormat},
                               {"step", state.step},
                               {"num_updates", optimizer.num_updates()},
                               {"num_tokens", state.num_tokens},
                               {"skipped_updates", state.skipped_updates},
                               {"samples_bytes", state.samples_bytes},
                               {"sampler", state.sampler}};
  PLUMB_TRY(write_file_atomic(aside + "/" + kTrainerFile, json.dump(2)));
  PLUMB_TRY(commit_folder(aside, final_path));
  const std::vector<std::string> all = checkpoints_of(run_folder);
  for (std::size_t i = 0; i + static_cast<std::size_t>(keep) < all.size(); ++i) {
    std::error_code ignored;  // an old checkpoint that stays costs disk, nothing else
    fs::remove_all(all[i], ignored);
  }
  return {};
}

std::optional<std::string> newest_checkpoint(const std::string& run_folder) {
  const std::vector<std::string> all = checkpoints_of(run_folder);
  return all.empty() ? std::nullopt : std::optional<std::string>(all.back());
}

Result<TrainerState> load_checkpoint(const std::string& folder, Workbench& bench, Optimizer& optimizer) {
  const std::string trainer = folder + "/" + kTrainerFile;
  PLUMB_ASSIGN(const std::string text, read_file(trainer));
  TrainerState state;
  std::int64_t num_updates = 0;
  try {
    const nlohmann::json json = nlohmann::json::parse(text);
    if (json.at("format").get<int>() != kFormat) {
      return Error{fmt::format("{}: expected format {}, found {}; it was written by another version of plumb", trainer,
                               kFormat, json.at("format").dump())};
    }
    state.step = json.at("step").get<std::int64_t>();
    state.num_tokens = json.at("num_tokens").get<std::int64_t>();
    state.skipped_updates = json.at("skipped_updates").get<std::int64_t>();
    state.samples_bytes = json.at("samples_bytes").get<std::uint64_t>();
    state.sampler = json.at("sampler");
    num_updates = json.at("num_updates").get<std::int64_t>();
  } catch (const nlohmann::json::exception& error) {
    return Error{fmt::format("{}: not a trainer state ({}); remove this checkpoint to resume from the one before",
                             trainer, error.what())};
  }
  PLUMB_TRY(bench.load_weights(folder));
  PLUMB_TRY(read_optimizer(folder + "/" + kOptimizerFile, num_updates, bench.policy(), optimizer));
  return state;
}

}  // namespace plumb
