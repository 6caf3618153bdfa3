#include "core/manifest.h"

#include <array>
#include <ctime>

#include "core/atomic_file.h"
#include "core/machine.h"

namespace plumb {
namespace {

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    text += (text.empty() ? "" : " ") + word;
  }
  return text;
}

// What bits depend on, by name, as text.
std::map<std::string, std::string> comparable(const RunManifest& manifest) {
  std::map<std::string, std::string> facts = {
      {"plumb_version", manifest.plumb_version},
      {"git_commit", manifest.git_commit},
      {"compiler", manifest.compiler},
      {"cpu", manifest.cpu},
      {"cpu_flags", joined(manifest.cpu_flags)},
      {"build_features", joined(manifest.build_features)},
      {"onednn_version", manifest.onednn_version},
      {"seed", std::to_string(manifest.seed)},
      {"config_sha256", manifest.config_sha256},
  };
  if (!manifest.command.empty()) {
    facts["command"] = manifest.command;
  }
  for (const auto& [role, sum] : manifest.file_sha256) {
    facts["file_sha256." + role] = sum;
  }
  return facts;
}

}  // namespace

RunManifest make_manifest() {
  RunManifest manifest;
  const CpuInfo cpu = read_cpu_info();
  manifest.compiler = compiler_of_build();
  manifest.cpu = cpu.model;
  manifest.cpu_flags = cpu.flags;
  manifest.build_features = features_of_build();
  manifest.started_at = utc_now();
  return manifest;
}

nlohmann::json to_json(const RunManifest& manifest) {
  return {{"command", manifest.command},
          {"plumb_version", manifest.plumb_version},
          {"git_commit", manifest.git_commit},
          {"compiler", manifest.compiler},
          {"cpu", manifest.cpu},
          {"cpu_flags", manifest.cpu_flags},
          {"build_features", manifest.build_features},
          {"onednn_version", manifest.onednn_version},
          {"seed", manifest.seed},
          {"config_sha256", manifest.config_sha256},
          {"file_sha256", manifest.file_sha256},
          {"argv", manifest.argv},
          {"started_at", manifest.started_at}};
}

Result<RunManifest> manifest_from_json(const nlohmann::json& json) {
  RunManifest manifest;
  const char* field = "command";
  try {
    const auto read = [&](const char* name, auto& value) {
      field = name;
      json.at(name).get_to(value);
    };
    manifest.command = json.value("command", "");
    read("plumb_version", manifest.plumb_version);
    read("git_commit", manifest.git_commit);
    read("compiler", manifest.compiler);
    read("cpu", manifest.cpu);
    read("cpu_flags", manifest.cpu_flags);
    read("build_features", manifest.build_features);
    read("onednn_version", manifest.onednn_version);
    read("seed", manifest.seed);
    read("config_sha256", manifest.config_sha256);
    read("file_sha256", manifest.file_sha256);
    read("argv", manifest.argv);
    read("started_at", manifest.started_at);
  } catch (const nlohmann::json::exception&) {
    return Error{std::string("the manifest's field \"") + field + "\" is absent or has the wrong type"};
  }
  return manifest;
}

Result<void> write_manifest(const RunManifest& manifest, const std::string& path) {
  // Arguments are bytes; a file name that is not UTF-8 must not keep a run from starting.
  const std::string text = to_json(manifest).dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
  return write_file_atomic(path, text + "\n");
}

Result<RunManifest> read_manifest(const std::string& path) {
  PLUMB_ASSIGN(const std::string text, read_file(path));
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
  if (json.is_discarded()) {
    return Error{path +
                 ": not valid JSON, so that nobody can say what the run depends on; put the file back from a copy, or "
                 "start a new run with another --out"};
  }
  Result<RunManifest> manifest = manifest_from_json(json);
  if (!manifest) {
    return manifest.error().with_context(path);
  }
  return manifest;
}

std::vector<std::string> manifest_differences(const RunManifest& before, const RunManifest& now) {
  const auto old_facts = comparable(before);
  const auto new_facts = comparable(now);
  std::vector<std::string> sentences;
  for (const auto& [name, value] : new_facts) {
    const auto old = old_facts.find(name);
    if (old == old_facts.end()) {
      sentences.push_back(name + ": was absent, is " + value);
    } else if (old->second != value) {
      sentences.push_back(name + ": was " + old->second + ", is " + value);
    }
  }
  for (const auto& [name, value] : old_facts) {
    if (!new_facts.contains(name)) {
      sentences.push_back(name + ": was " + value + ", is absent");
    }
  }
  return sentences;
}

}  // namespace plumb
