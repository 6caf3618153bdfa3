#include "apps/plumb/run_files.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <span>

namespace plumb {
namespace {

namespace fs = std::filesystem;

constexpr std::array kWork = {"metrics.jsonl",     "timings.jsonl", "samples.jsonl", "profile.jsonl",
                              "reward_model.json", "evals",         "checkpoints",   "sft-progress",
                              "rm-progress",       "sft",           "policy"};
constexpr std::array kOthers = {kManifestFile,  kConfigFile,       "verdicts.jsonl", "custom_scores.jsonl",
                                "faults.jsonl", "bad-batch.jsonl", "report.html",    "unfinished-evaluation.json"};
constexpr std::array kResults = {"sft", "policy"};

// Logs are opened before the first line of them is there.
bool holds_something(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error) && !fs::is_empty(path, error);
}

std::string first_of(std::span<const char* const> names, const std::string& folder) {
  const auto found =
      std::ranges::find_if(names, [&](const char* name) { return holds_something(fs::path(folder) / name); });
  return found == names.end() ? "" : *found;
}

}  // namespace

std::string first_run_file(const std::string& folder) {
  const std::string work = first_of(kWork, folder);
  return work.empty() ? first_of(kOthers, folder) : work;
}

bool holds_work(const std::string& folder) {
  return !first_of(kWork, folder).empty();
}

bool is_run_file(const std::string& path) {
  const fs::path file(path);
  const std::string name = file.filename().string();
  const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  const auto is_name = [&](const char* one) { return name == one; };
  std::error_code error;
  return fs::exists(folder / kManifestFile, error) &&
         (std::ranges::any_of(kWork, is_name) || std::ranges::any_of(kOthers, is_name));
}

bool is_result_of(const std::string& model, const std::string& folder) {
  return std::ranges::any_of(kResults, [&](const char* name) {
    std::error_code error;  // equivalent() fails where one of the two is absent
    return fs::equivalent(model, fs::path(folder) / name, error);
  });
}

}  // namespace plumb
