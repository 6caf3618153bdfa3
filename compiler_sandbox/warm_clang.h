#pragma once
// The judge's side of the compiler that has read the standard library already (warm_clang/warm_clang.h says how and
// why): whether this build of plumb has it, and where its files are.

#include <optional>
#include <string>

#include "compiler_sandbox/cpp_compiler.h"
#include "core/result.h"

namespace plumb {

inline constexpr const char* kWarmClangLibrary = "warm_clang.so";
inline constexpr const char* kLibraryInstances = "library_instances.o";
inline constexpr const char* kInstanceSizes = "instance_sizes.txt";
/// JSON: "instances", their digest; "compiler", CppCompiler::library_identity() of what they were compiled with;
/// "files", the SHA-256 of the three above by their names. Written last.
inline constexpr const char* kInstancesOf = "library_instances.json";

/// Where the build puts them, beside the launcher.
std::string warm_clang_folder(const std::string& launcher);

/// Names in the toolchain's cache folder, where sandboxes see them.
struct WarmClang {
  std::string library;
  std::string sizes;
  std::string object;  // of the instances; linked with what the library compiles
  std::string instances;
};

/// Copies the files that plumb's build left in `build_folder` to `cache_folder`, under names made of their content.
/// Nothing where one is absent or damaged, or they were made for another compiler than `compiler`. Errors: they cannot
/// be copied.
Result<std::optional<WarmClang>> find_warm_clang(const std::string& build_folder, const std::string& cache_folder,
                                                 const CppCompiler& compiler);

}  // namespace plumb
