#include "apps/plumb/run_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <string_view>

#include "apps/plumb/version.h"
#include "core/hash.h"

namespace plumb {
namespace {

constexpr const char* kManifest = "manifest.json";
constexpr const char* kConfig = "config.toml";

// Keys that a resume may change, and why no bit depends on them.
struct FreeKey {
  std::string_view key;
  std::string_view reason;
};
constexpr FreeKey kFreeKeys[] = {
    {"model.threads", "sums are split by the shape of the data, not by threads"},
    {"judge.slots", "a program is judged by itself, however many are at once"},
    {"grpo.keep_checkpoints", "an older checkpoint is read only where a newer one is damaged"},
};

// Of a sentence of Config::differences_from(); null: a resume may not change it.
const FreeKey* free_key_of(const std::string& difference) {
  const auto found = std::ranges::find(kFreeKeys, difference.substr(0, difference.find(':')), &FreeKey::key);
  return found == std::end(kFreeKeys) ? nullptr : found;
}

// Which keys differ, of those that bits may depend on. Of the others a line is said. A sum says that something differs;
// whoever has to put it back needs to know what.
Result<std::vector<std::string>> config_differences(const std::string& folder, const RunManifest& before,
                                                    const RunManifest& now, const Config& config) {
  if (before.config_sha256 == now.config_sha256) {
    return std::vector<std::string>();
  }
  PLUMB_ASSIGN(const std::string toml, read_file(folder + "/" + kConfig));
  PLUMB_ASSIGN(const auto keys, config.differences_from(toml, folder + "/" + kConfig));
  std::vector<std::string> differences;
  for (const std::string& key : keys) {
    if (const FreeKey* free = free_key_of(key)) {
      std::fprintf(stderr, "plumb: note: %s; no bit depends on it: %s\n", key.c_str(), free->reason.data());
    } else {
      differences.push_back(key);
    }
  }
  // Where no key says why the sums differ, they do all the same.
  if (!differences.empty() || keys.empty()) {
    differences.insert(differences.begin(), "config_sha256: was " + before.config_sha256 + ", is " + now.config_sha256);
  }
  return differences;
}

Result<void> check_unchanged(const std::string& folder, RunManifest now, const Config& config) {
  const std::string path = folder + "/" + kManifest;
  PLUMB_ASSIGN(const RunManifest before, read_manifest(path));
  PLUMB_ASSIGN(const auto keys, config_differences(folder, before, now, config));
  now.config_sha256 = before.config_sha256;
  std::vector<std::string> differences = manifest_differences(before, now);
  differences.insert(differences.end(), keys.begin(), keys.end());
  if (differences.empty()) {
    return {};
  }
  std::string all;
  for (const std::string& difference : differences) {
    all += "\n  " + difference;
  }
  return Error{fmt::format(
      "{}: this run cannot be resumed to the same bits, because something it depends on has changed:{}\nput that back, "
      "or start a new run with another --out",
      path, all)};
}

}  // namespace

RunManifest start_manifest(std::uint64_t seed, const Config& config) {
  RunManifest manifest = make_manifest();
  manifest.plumb_version = plumb_version();
  manifest.git_commit = git_commit();
  manifest.onednn_version = onednn_version();
  manifest.seed = seed;
  manifest.config_sha256 = config.checksum();
  // Where the commit does not say what was built, the program itself does.
  if (manifest.git_commit == "unknown" || manifest.git_commit.ends_with("-dirty")) {
    if (auto sum = sha256_file("/proc/self/exe")) {
      manifest.file_sha256["plumb"] = std::move(*sum);
    }
  }
  return manifest;
}

Result<RunFolder> RunFolder::open(const std::string& path, bool resume, const Config& config,
                                  const RunManifest& manifest) {
  const std::string manifest_path = path + "/" + kManifest;
  const bool exists = std::filesystem::exists(manifest_path);
  if (exists && !resume) {
    return Error{
        fmt::format("{}: this folder already holds a run; go on with it by --resume, or choose another --out", path)};
  }
  if (!exists && resume) {
    return Error{fmt::format("{}: no run to resume here ({} is absent); start one without --resume", path, kManifest)};
  }
  PLUMB_TRY(ensure_writable_folder(path));
  if (exists) {
    PLUMB_TRY(check_unchanged(path, manifest, config));
  } else {
    PLUMB_TRY(write_file_atomic(path + "/" + kConfig, config.to_toml()));
    PLUMB_TRY(write_manifest(manifest, manifest_path));
  }
  RunFolder folder;
  folder.path_ = path;
  return folder;
}

Result<void> RunFolder::open_logs(const std::optional<ResumePoint>& from, std::uint64_t samples_bytes) {
  PLUMB_ASSIGN(auto metrics, MetricsLog::open(path_, from));
  metrics_ = std::move(metrics);
  // What other stages said at step 0 stays; what this one did is said again, to the same value.
  PLUMB_ASSIGN(auto events, TensorBoardWriter::open(path_, from ? std::max<std::int64_t>(from->step + 1, 1) : -1));
  events_ = std::move(events);
  if (from && samples_bytes == UINT64_MAX && std::filesystem::exists(file("samples.jsonl"))) {
    PLUMB_ASSIGN(samples_bytes, bytes_to_keep(file("samples.jsonl"), from));
  }
  PLUMB_ASSIGN(auto samples, AppendFile::open(file("samples.jsonl"), samples_bytes));
  samples_ = std::move(samples);
  return {};
}

Result<void> RunFolder::log(const std::string& stage, std::int64_t step, const MetricMap& metrics,
                            const MetricMap& timings) {
  PLUMB_CHECK(metrics_ && events_, "RunFolder::log before open_logs");
  PLUMB_TRY(metrics_->append(stage, step, metrics, timings));
  MetricMap all;
  for (const auto* map : {&metrics, &timings}) {
    for (const auto& [name, value] : *map) {
      all[stage == "grpo" ? name : stage + "/" + name] = value;
    }
  }
  return events_->append(step, all);
}

Result<void> RunFolder::sync_logs() {
  PLUMB_CHECK(metrics_ && samples_, "RunFolder::sync_logs before open_logs");
  PLUMB_TRY(metrics_->sync());
  return samples_->sync();
}

Result<void> RunFolder::add_sample(const nlohmann::json& sample) {
  PLUMB_CHECK(samples_.has_value(), "RunFolder::add_sample before open_logs");
  return samples_->append(sample.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

}  // namespace plumb
