#include "compiler_sandbox/warm_clang.h"

#include <unistd.h>

#include <filesystem>

#include "core/atomic_file.h"
#include "core/hash.h"

namespace plumb {

namespace {

namespace fs = std::filesystem;

// The name that the copy has.
Result<std::string> copy(const std::string& path, const std::string& folder) {
  PLUMB_ASSIGN(const std::string content, read_file(path));
  const fs::path from(path);
  const std::string name = from.stem().string() + "_" + sha256_hex(content).substr(0, 16) + from.extension().string();
  std::error_code error;
  if (!fs::exists(folder + name, error)) {
    const std::string aside = folder + name + "." + std::to_string(getpid());
    PLUMB_TRY(write_file_atomic(aside, content));
    fs::permissions(aside, static_cast<fs::perms>(0644), error);
    fs::rename(aside, folder + name, error);
  }
  return error ? Result<std::string>(Error{"cannot put " + folder + name + " in its place: " + error.message()}) : name;
}

}  // namespace

std::string warm_clang_folder(const std::string& launcher) {
  return (fs::path(launcher).parent_path() / "warm_clang").string();
}

Result<std::optional<WarmClang>> find_warm_clang(const std::string& build_folder, const std::string& cache_folder,
                                                 const CppCompiler& compiler) {
  const auto made_for = read_file(build_folder + "/" + kInstancesOf);
  if (!made_for || !compiler.is_clang()) {
    return std::optional<WarmClang>();
  }
  const std::size_t end = made_for->find('\n');
  if (end == std::string::npos || made_for->substr(end + 1) != compiler.library_identity()) {
    return std::optional<WarmClang>();
  }
  WarmClang found;
  found.instances = made_for->substr(0, end);
  PLUMB_ASSIGN(found.library, copy(build_folder + "/" + kWarmClangLibrary, cache_folder));
  PLUMB_ASSIGN(found.sizes, copy(build_folder + "/" + kInstanceSizes, cache_folder));
  PLUMB_ASSIGN(found.object, copy(build_folder + "/" + kLibraryInstances, cache_folder));
  return std::optional<WarmClang>(std::move(found));
}

}  // namespace plumb
