#include "apps/plumb/checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <span>

#include "core/atomic_file.h"
#include "core/hash.h"
#include "core/machine.h"
#include "formats/safetensors.h"

namespace plumb {
namespace {

namespace fs = std::filesystem;

constexpr int kFormat = 2;
constexpr const char* kTrainerFile = "trainer.json";
constexpr const char* kOptimizerFile = "optimizer.safetensors";
constexpr const char* kReferenceFile = "reference.safetensors";
constexpr const char* kBestFile = "best.safetensors";
constexpr std::uint64_t kOtherFilesBytes = std::uint64_t{32} << 20;  // tokenizer, headers

Result<void> write_optimizer(const std::string& path, Policy& policy, const Optimizer& optimizer, LentValues* lender) {
  std::vector<TensorView> tensors;
  for (std::size_t i = 0; i < policy.parameters().size(); ++i) {
    const ParameterView& parameter = policy.parameters()[i];
    tensors.push_back({"exp_avg." + parameter.name, parameter.shape, optimizer.first_moments()[i], lender});
    tensors.push_back({"exp_avg_sq." + parameter.name, parameter.shape, optimizer.second_moments()[i], lender});
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

// A second set of weights under the policy's names.
Result<void> write_weights(const std::string& path, Policy& policy, LentValues* lender,
                           const std::function<std::span<const float>(std::size_t)>& values) {
  std::vector<TensorView> tensors;
  for (std::size_t i = 0; i < policy.parameters().size(); ++i) {
    tensors.push_back({policy.parameters()[i].name, policy.parameters()[i].shape, values(i), lender});
  }
  return write_safetensors(path, tensors, SafetensorsDtype::kF32);
}

Result<std::vector<std::vector<float>>> read_weights(const std::string& path, Policy& policy) {
  PLUMB_ASSIGN(const SafetensorsFile file, SafetensorsFile::open(path));
  std::vector<std::vector<float>> values;
  for (const ParameterView& parameter : policy.parameters()) {
    PLUMB_ASSIGN(SourceTensor tensor, file.read(parameter.name));
    if (tensor.values.size() != parameter.value.size()) {
      return Error{fmt::format("{}: tensor '{}' has another size than the model's", path, parameter.name)};
    }
    values.push_back(std::move(tensor.values));
  }
  return values;
}

// SHA-256 by name of every file but trainer.json itself.
Result<nlohmann::json> checksums_of(const std::string& folder) {
  nlohmann::json sums = nlohmann::json::object();
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (name != kTrainerFile) {
      PLUMB_ASSIGN(sums[name], sha256_file(entry.path().string()));
    }
  }
  return error ? Result<nlohmann::json>(Error{folder + ": cannot be listed: " + error.message()}) : sums;
}

Result<nlohmann::json> read_trainer_file(const std::string& folder) {
  const std::string path = folder + "/" + kTrainerFile;
  PLUMB_ASSIGN(const std::string text, read_file(path));
  nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("format")) {
    return Error{path + ": not a trainer state"};
  }
  if (json["format"] != kFormat) {
    return Error{fmt::format("{}: expected format {}, found {}; it was written by another version of plumb", path,
                             kFormat, json["format"].dump())};
  }
  return json;
}

}  // namespace

std::vector<std::string> checkpoints_of(const std::string& run_folder) {
  std::vector<std::string> found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(run_folder + "/checkpoints", ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("step-") && name.find('.') == std::string::npos) {
      found.push_back(entry.path().string());
    }
  }
  std::sort(found.begin(), found.end());  // zero-padded names sort by step
  return found;
}

Result<void> check_disk_for_checkpoint(const std::string& run_folder, std::int64_t step, const TrainedParts& parts) {
  std::uint64_t values = 0;
  for (const ParameterView& parameter : parts.bench.policy().parameters()) {
    values += parameter.value.size();
  }
  const bool has_best = parts.best != nullptr && !parts.best->empty();
  const int sets = 3 + (parts.reference != nullptr ? 1 : 0) + (has_best ? 1 : 0);  // the policy and two moments
  const std::uint64_t needed = values * sizeof(float) * static_cast<std::uint64_t>(sets) + kOtherFilesBytes;
  PLUMB_ASSIGN(const std::uint64_t free, free_disk_bytes(run_folder));
  if (free < needed) {
    constexpr double kGib = 1024.0 * 1024.0 * 1024.0;
    return Error{fmt::format(
        "{}: the checkpoint of step {} needs {:.2f} GiB of disk and {:.2f} GiB are free; free some and go on with "
        "--resume",
        run_folder, step, static_cast<double>(needed) / kGib, static_cast<double>(free) / kGib)};
  }
  return {};
}

void announce(const TrainedParts& parts, LentValues& lent) {
  Policy& policy = parts.bench.policy();
  for (std::size_t i = 0; i < policy.parameters().size(); ++i) {
    lent.add(policy.parameters()[i].value);
    lent.add(parts.optimizer.first_moments()[i]);
    lent.add(parts.optimizer.second_moments()[i]);
    if (parts.reference != nullptr) {
      lent.add(parts.reference->policy().parameters()[i].value);
    }
    if (parts.best != nullptr && !parts.best->empty()) {
      lent.add((*parts.best)[i]);
    }
  }
}

Result<void> save_checkpoint(const std::string& run_folder, const TrainerState& state, const TrainedParts& parts,
                             const CheckpointSaving& saving) {
  LentValues* lender = saving.lender;
  const std::string final_path = fmt::format("{}/checkpoints/step-{:06d}", run_folder, state.step);
  const std::string aside = final_path + ".partial";
  PLUMB_TRY(ensure_writable_folder(run_folder + "/checkpoints"));
  std::error_code ignored;  // what a killed run left aside is written over; what stays of it costs disk, nothing else
  fs::remove_all(aside, ignored);
  PLUMB_TRY(parts.bench.save(aside, lender));
  PLUMB_TRY(write_optimizer(aside + "/" + kOptimizerFile, parts.bench.policy(), parts.optimizer, lender));
  if (parts.reference != nullptr) {
    auto& weights = parts.reference->policy().parameters();
    PLUMB_TRY(write_weights(aside + "/" + kReferenceFile, parts.bench.policy(), lender,
                            [&](std::size_t i) { return weights[i].value; }));
  }
  if (!saving.best.empty()) {
    PLUMB_TRY(write_weights(aside + "/" + kBestFile, parts.bench.policy(), lender,
                            [&](std::size_t i) { return saving.best[i]; }));
  }
  PLUMB_ASSIGN(const nlohmann::json checksums, checksums_of(aside));
  const nlohmann::json json = {{"format", kFormat},
                               {"step", state.step},
                               {"num_updates", saving.num_updates},
                               {"num_tokens", state.num_tokens},
                               {"skipped_updates", state.skipped_updates},
                               {"skipped_in_a_row", state.skipped_in_a_row},
                               {"entropy_coefficient", state.entropy_coefficient},
                               {"samples_bytes", state.samples_bytes},
                               {"sampler", state.sampler},
                               {"dev", state.dev},
                               {"sha256", checksums}};
  PLUMB_TRY(write_file_atomic(aside + "/" + kTrainerFile, json.dump(2)));
  PLUMB_TRY(commit_folder(aside, final_path));
  const std::vector<std::string> all = checkpoints_of(run_folder);
  for (std::size_t i = 0; i + static_cast<std::size_t>(saving.keep) < all.size(); ++i) {
    fs::remove_all(all[i], ignored);
  }
  return {};
}

std::optional<std::string> newest_checkpoint(const std::string& run_folder) {
  const std::vector<std::string> all = checkpoints_of(run_folder);
  return all.empty() ? std::nullopt : std::optional<std::string>(all.back());
}

Result<void> check_checkpoint(const std::string& folder) {
  PLUMB_ASSIGN(const nlohmann::json json, read_trainer_file(folder));
  PLUMB_ASSIGN(const nlohmann::json found, checksums_of(folder));
  const nlohmann::json expected = json.value("sha256", nlohmann::json::object());
  for (const auto& [name, sum] : expected.items()) {
    if (!found.contains(name)) {
      return Error{folder + "/" + name + ": is missing"};
    }
    if (found[name] != sum) {
      return Error{folder + "/" + name + ": is not what was written (its SHA-256 differs)"};
    }
  }
  return expected.empty() ? Result<void>(Error{folder + "/" + kTrainerFile + ": has no checksums"}) : Result<void>();
}

Result<TrainerState> load_checkpoint(const std::string& folder, const TrainedParts& parts,
                                     std::vector<std::vector<float>>* best) {
  PLUMB_ASSIGN(const nlohmann::json json, read_trainer_file(folder));
  TrainerState state;
  std::int64_t num_updates = 0;
  try {
    state.step = json.at("step").get<std::int64_t>();
    state.num_tokens = json.at("num_tokens").get<std::int64_t>();
    state.skipped_updates = json.at("skipped_updates").get<std::int64_t>();
    state.skipped_in_a_row = json.at("skipped_in_a_row").get<int>();
    state.entropy_coefficient = json.at("entropy_coefficient").get<double>();
    state.samples_bytes = json.at("samples_bytes").get<std::uint64_t>();
    state.sampler = json.at("sampler");
    state.dev = json.value("dev", nlohmann::json());
    num_updates = json.at("num_updates").get<std::int64_t>();
  } catch (const nlohmann::json::exception& error) {
    return Error{fmt::format("{}/{}: not a trainer state ({})", folder, kTrainerFile, error.what())};
  }
  PLUMB_TRY(parts.bench.load_weights(folder));
  PLUMB_TRY(read_optimizer(folder + "/" + kOptimizerFile, num_updates, parts.bench.policy(), parts.optimizer));
  if (parts.reference != nullptr) {
    PLUMB_ASSIGN(const auto values, read_weights(folder + "/" + kReferenceFile, parts.bench.policy()));
    PLUMB_TRY(parts.reference->restore(values));
  }
  if (best != nullptr && fs::exists(folder + "/" + kBestFile)) {
    PLUMB_ASSIGN(*best, read_weights(folder + "/" + kBestFile, parts.bench.policy()));
  }
  return state;
}

Result<std::optional<TrainerState>> load_newest_checkpoint(const std::string& run_folder, const TrainedParts& parts,
                                                           std::vector<std::vector<float>>* best) {
  std::vector<std::string> all = checkpoints_of(run_folder);
  std::vector<std::string> damaged;
  std::string complaints;
  while (!all.empty()) {
    const Result<void> whole = check_checkpoint(all.back());
    if (whole) {
      for (const std::string& folder : damaged) {
        std::error_code ignored;
        fs::remove_all(folder + ".damaged", ignored);
        fs::rename(folder, folder + ".damaged", ignored);
      }
      PLUMB_ASSIGN(TrainerState state, load_checkpoint(all.back(), parts, best));
      return std::optional<TrainerState>(std::move(state));
    }
    std::fprintf(stderr, "plumb: %s; looking for an older checkpoint\n", whole.error().message.c_str());
    complaints += (complaints.empty() ? "" : "; ") + whole.error().message;
    damaged.push_back(all.back());
    all.pop_back();
  }
  if (!damaged.empty()) {
    return Error{fmt::format("{}: no checkpoint is whole ({}); remove {}/checkpoints to start from the first step",
                             run_folder, complaints, run_folder)};
  }
  return std::optional<TrainerState>();
}

}  // namespace plumb
