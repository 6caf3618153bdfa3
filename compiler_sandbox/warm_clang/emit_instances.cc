// plumb-library-instances FOLDER: while plumb is built, writes the code of the library's instances (warm_clang.h)
// there, and what has to be the same where they are used.

#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "compiler_sandbox/cpp_compiler.h"
#include "compiler_sandbox/warm_clang.h"
#include "compiler_sandbox/warm_clang/warm_clang.h"
#include "core/atomic_file.h"
#include "core/hash.h"

namespace plumb {

namespace {

Result<void> emit(const std::string& folder) {
  PLUMB_ASSIGN(const CppCompiler compiler, CppCompiler::find({.family = "clang"}));
  const std::string uninstrumented = folder + "/" + kUninstrumented;
  PLUMB_TRY(write_file_atomic(uninstrumented, compiler.uninstrumented()));
  const std::vector<std::string> words = compiler.compile_without_header(uninstrumented);
  std::vector<const char*> argv;
  for (const std::string& word : words) {
    argv.push_back(word.c_str());
  }
  const std::string object = folder + "/" + kLibraryInstances;
  const std::string sizes = folder + "/" + kInstanceSizes;
  if (plumb_clang_load(static_cast<int>(argv.size()), argv.data(), nullptr, nullptr) != 0 ||
      plumb_clang_emit_instances((object + ".partial").c_str(), sizes.c_str()) != 0) {
    return Error{"clang cannot compile the library's common instances (compiler_sandbox/warm_clang/common_uses.cc)"};
  }
  if (std::rename((object + ".partial").c_str(), object.c_str()) != 0) {
    return Error{"cannot put " + object + " in its place"};
  }
  nlohmann::json description{{"instances", plumb_clang_instances()}, {"compiler", compiler.library_identity()}};
  for (const char* name : {kWarmClangLibrary, kInstanceSizes, kLibraryInstances}) {
    PLUMB_ASSIGN(description["files"][name], sha256_file(folder + "/" + name));
  }
  return write_file_atomic(folder + "/" + kInstancesOf, description.dump(1) + "\n");
}

}  // namespace

}  // namespace plumb

int main(int argc, char** argv) {
  const auto emitted = argc == 2 ? plumb::emit(argv[1]) : plumb::Result<void>(plumb::Error{"usage: a folder"});
  if (!emitted) {
    std::fprintf(stderr, "plumb-library-instances: %s\n", emitted.error().message.c_str());
  }
  return emitted ? 0 : 1;
}
