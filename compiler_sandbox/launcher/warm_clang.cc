#include "compiler_sandbox/launcher/warm_clang.h"

#include <dlfcn.h>
#include <malloc.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cstdint>

namespace plumb {

namespace {

using Compile = int (*)(const char*, const char*);

Compile& warm_compile() {
  static Compile one = nullptr;
  return one;
}

constexpr std::uintptr_t kHugePage = std::uintptr_t{2} << 20U;
#ifndef MADV_COLLAPSE
constexpr int MADV_COLLAPSE = 25;  // NOLINT: Linux 6.1's, not in the headers of Debian 12
#endif

// A copy of a process takes a copy of its page tables, and of 300 MiB in small pages that takes 12 ms, for each
// candidate anew; in huge pages 0.3 ms. What a copy writes to becomes small pages again. A kernel that
// cannot do it leaves all as it was.
class HugePages {
 public:
  HugePages() {
    mallopt(M_MMAP_THRESHOLD, 1 << 30);  // everything in one piece, from here on
    mallopt(M_TOP_PAD, 16 << 20);
    start_ = reinterpret_cast<std::uintptr_t>(sbrk(0));
  }
  void collapse() const {
    const auto end = reinterpret_cast<std::uintptr_t>(sbrk(0));
    for (std::uintptr_t page = (start_ + kHugePage - 1) / kHugePage * kHugePage; page + kHugePage <= end;
         page += kHugePage) {
      madvise(reinterpret_cast<void*>(page), kHugePage, MADV_COLLAPSE);
    }
  }

 private:
  std::uintptr_t start_ = 0;
};

// What the ordinary compiler is executed with where this one fails.
char* const* ordinary_argv = nullptr;
char* const* ordinary_environment = nullptr;

void execute_ordinary(int) {
  execve(ordinary_argv[0], ordinary_argv, ordinary_environment);
  _exit(127);
}

// On a stack of its own, for the other may be used up; and without its signal being blocked, which would be inherited.
void catch_failures() {
  static char stack[1 << 16];
  const stack_t other{stack, 0, sizeof(stack)};
  sigaltstack(&other, nullptr);
  struct sigaction action {};
  action.sa_handler = execute_ordinary;
  action.sa_flags = SA_ONSTACK | SA_NODEFER;
  for (const int failure : {SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE, SIGTRAP}) {
    sigaction(failure, &action, nullptr);
  }
}

template <typename Function>
Function find(void* library, const char* name) {
  return reinterpret_cast<Function>(dlsym(library, name));
}

}  // namespace

bool load_warm_clang(const nlohmann::json& wanted) {
  const HugePages memory;
  void* library = dlopen(wanted.at("library").get<std::string>().c_str(), RTLD_NOW);
  if (library == nullptr) {
    return false;
  }
  const auto load = find<int (*)(int, const char* const*, const char*, const char*)>(library, "plumb_clang_load");
  const auto compile = find<Compile>(library, "plumb_clang_compile");
  const auto words = wanted.at("argv").get<std::vector<std::string>>();
  std::vector<const char*> argv;
  for (const std::string& word : words) {
    argv.push_back(word.c_str());
  }
  const auto instances = wanted.at("instances").get<std::string>();
  const auto sizes = wanted.at("sizes").get<std::string>();
  if (load == nullptr || compile == nullptr ||
      load(static_cast<int>(argv.size()), argv.data(), instances.c_str(), sizes.c_str()) != 0) {
    return false;
  }
  memory.collapse();
  warm_compile() = compile;
  return true;
}

void run_warm_clang(char* const* argv, char* const* environment) {
  prctl(PR_SET_NAME, "clang++", 0, 0, 0);
  ordinary_argv = argv;
  ordinary_environment = environment;
  catch_failures();
  if (warm_compile()("solution.cpp", "solution.o") == 0) {
    _exit(0);
  }
}

}  // namespace plumb
