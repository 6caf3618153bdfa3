#include "apps/plumb/run_files.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <span>

namespace plumb {
namespace {

namespace fs = std::filesystem;

constexpr std::array kWork = {"metrics.jsonl",     "timings.jsonl", "samples.jsonl", "profile.jsonl",
                              "reward_model.json", "evals",         "checkpoints",   "sft-progress",
                              "rm-progress",       "sft",           "policy"};
constexpr std::array kOthers = {kManifestFile,  kConfigFile,       "verdicts.jsonl", "custom_scores.jsonl",
                                "faults.jsonl", "bad-batch.jsonl", kReportFile,      "unfinished-evaluation.json"};
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

Result<void> check_replaceable(const std::string& option, const std::string& path, const std::string& what,
                               std::string_view beginning) {
  if (is_run_file(path) && fs::path(path).filename() != kReportFile) {
    return Error{path + ": is a file of a run, which would be lost; choose another " + option};
  }
  std::error_code error;
  if (!fs::is_regular_file(path, error) || fs::is_empty(path, error)) {
    return {};  // what cannot be written says so itself
  }
  std::string found(beginning.size(), '\0');
  std::ifstream(path, std::ios::binary).read(found.data(), std::ssize(found));
  const auto in_capitals = [](unsigned char c) { return std::toupper(c); };
  if (!std::ranges::equal(found, beginning, {}, in_capitals, in_capitals)) {
    return Error{path + ": exists already and is no " + what + "; choose another " + option};
  }
  return {};
}

bool is_result_of(const std::string& model, const std::string& folder) {
  return std::ranges::any_of(kResults, [&](const char* name) {
    std::error_code error;  // equivalent() fails where one of the two is absent
    return fs::equivalent(model, fs::path(folder) / name, error);
  });
}

}  // namespace plumb
