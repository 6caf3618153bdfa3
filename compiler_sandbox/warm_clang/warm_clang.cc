#include "compiler_sandbox/warm_clang/warm_clang.h"

#include <clang/Basic/Stack.h>
#include <llvm/Support/ErrorHandling.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "compiler_sandbox/warm_clang/common_uses.h"
#include "compiler_sandbox/warm_clang/compilation.h"
#include "compiler_sandbox/warm_clang/library_instances.h"

namespace plumb {

namespace {

struct Loaded {
  Compilation unit;
  LibraryInstances instances;
};

// Never destroyed: taking it apart would cost as much as it is worth.
Loaded& loaded() {
  static auto* one = new Loaded;
  return *one;
}

}  // namespace

}  // namespace plumb

int plumb_clang_load(int argc, const char* const* argv, const char* instances, const char* sizes) {
  auto& [unit, found] = plumb::loaded();
  clang::noteBottomOfStack();
  if (!unit.start({argv, argv + argc}) || !unit.read_text(plumb::common_uses(), "common_uses")) {
    return -1;
  }
  unit.instantiate();
  found = plumb::LibraryInstances::find(unit.context());
  found.set_defined(false);
  if (sizes != nullptr) {
    std::ifstream text(sizes);
    if (!found.read_sizes(text)) {
      return -1;
    }
  }
  return instances == nullptr || found.digest() == instances ? 0 : -1;
}

const char* plumb_clang_instances() {
  return plumb::loaded().instances.digest().c_str();
}

int plumb_clang_compile(const char* source, const char* object) {
  auto& [unit, instances] = plumb::loaded();
  clang::noteBottomOfStack();
  // Rather than a message and an exit status: the launcher goes on from a signal (launcher/warm_clang.cc).
  llvm::install_fatal_error_handler([](void*, const char*, bool) { std::abort(); });
  llvm::install_bad_alloc_error_handler([](void*, const char*, bool) { std::abort(); });
  if (!unit.read_last(source)) {
    return -1;
  }
  instances.leave_out_large(unit.context());
  if (!unit.write_object(object)) {
    return -1;
  }
  std::fputs(unit.messages().c_str(), stderr);
  return 0;
}

int plumb_clang_emit_instances(const char* object, const char* sizes) {
  auto& [unit, instances] = plumb::loaded();
  instances.set_defined(true);
  for (clang::FunctionDecl* function : instances.all()) {
    unit.define(function);
  }
  std::string text;
  const auto look = [&](const llvm::Module& optimized) { text = instances.sizes(unit.context(), optimized); };
  const bool good = unit.read_last(nullptr) && unit.write_object(object, look);
  std::ofstream file(sizes);
  file << text;
  return good && file.flush() ? 0 : -1;
}
