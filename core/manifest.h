#pragma once
// The run manifest: what a run's bits depend on, saved as manifest.json when the run starts. A resume compares.

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/result.h"

namespace plumb {

/// Everything that has to be equal for two runs to have equal bits, and when and how the run was started.
struct RunManifest {
  std::string command;  // of plumb, e.g. "grpo"; empty in manifests of versions that did not say it
  std::string plumb_version;
  std::string git_commit;  // "unknown" outside a repository; "-dirty" at the end where files differed from the commit
  std::string compiler;    // that built plumb
  std::string cpu;
  std::vector<std::string> cpu_flags;       // core/machine.h
  std::vector<std::string> build_features;  // that the compiler was allowed to use
  std::string onednn_version;
  std::uint64_t seed = 0;
  std::string config_sha256;                       // Config::checksum()
  std::map<std::string, std::string> file_sha256;  // role ("data", "model", "tokenizer", ...) to SHA-256
  std::vector<std::string> argv;                   // that the run was started with
  std::string started_at;                          // UTC, "2026-01-31T12:00:00Z"
};

/// A manifest with what can be known here: compiler, processor, features, the time.
RunManifest make_manifest();

nlohmann::json to_json(const RunManifest& manifest);
/// Errors: absent fields or wrong types, naming the field.
Result<RunManifest> manifest_from_json(const nlohmann::json& json);

Result<void> write_manifest(const RunManifest& manifest, const std::string& path);
Result<RunManifest> read_manifest(const std::string& path);

/// One sentence for each thing that bits depend on and that differs, e.g. "compiler: was g++ 12.2.0, is
/// clang++ 16.0.6". Start time and arguments are not compared.
std::vector<std::string> manifest_differences(const RunManifest& before, const RunManifest& now);

}  // namespace plumb
