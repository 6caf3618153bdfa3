#include "compiler_sandbox/warm_clang.h"

#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/atomic_file.h"
#include "core/hash.h"

namespace plumb {

namespace {

namespace fs = std::filesystem;

// The name that the copy of `content`, whose SHA-256 is `hash`, has.
Result<std::string> copy(const std::string& content, const std::string& hash, const fs::path& from,
                         const std::string& folder) {
  const std::string name = from.stem().string() + "_" + hash.substr(0, 16) + from.extension().string();
  std::error_code error;
  if (!fs::exists(folder + name, error)) {
    const std::string aside = folder + name + "." + std::to_string(getpid());
    PLUMB_TRY(write_file_atomic(aside, content));
    fs::permissions(aside, static_cast<fs::perms>(0644), error);
    fs::rename(aside, folder + name, error);
  }
  return error ? Result<std::string>(Error{"cannot put " + folder + name + " in its place: " + error.message()}) : name;
}

// Null where there is none.
nlohmann::json description_in(const std::string& build_folder) {
  const auto text = read_file(build_folder + "/" + kInstancesOf);
  return text ? nlohmann::json::parse(*text, nullptr, false) : nlohmann::json();
}

}  // namespace

std::string warm_clang_folder(const std::string& launcher) {
  return (fs::path(launcher).parent_path() / "warm_clang").string();
}

Result<std::optional<WarmClang>> find_warm_clang(const std::string& build_folder, const std::string& cache_folder,
                                                 const CppCompiler& compiler) {
  const nlohmann::json description = description_in(build_folder);
  if (!description.is_object() || !compiler.is_clang() ||
      description.value("compiler", "") != compiler.library_identity()) {
    return std::optional<WarmClang>();
  }
  WarmClang found;
  found.instances = description.value("instances", "");
  for (const auto& [name, copied] : {std::pair{kWarmClangLibrary, &found.library},
                                     {kInstanceSizes, &found.sizes},
                                     {kLibraryInstances, &found.object}}) {
    const auto content = read_file(build_folder + "/" + name);
    const std::string hash = content ? sha256_hex(*content) : "";
    if (!content || description.value("files", nlohmann::json::object()).value(name, "") != hash) {
      return std::optional<WarmClang>();
    }
    PLUMB_ASSIGN(*copied, copy(*content, hash, name, cache_folder));
  }
  return std::optional<WarmClang>(std::move(found));
}

}  // namespace plumb
