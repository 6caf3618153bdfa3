#include "compiler_sandbox/launcher/warm_python.h"

#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>

namespace plumb {

namespace {

constexpr const char* kInterpreter = "/usr/bin/python3";
constexpr const char* kFlags = "-PsSBu";
constexpr int kFileInput = 257;  // Py_file_input

// Modules that draw no random number and keep no clock when they are imported: what a copy inherits of them is the same
// in every launcher. `random` is none of these.
constexpr const char* kPrepare = R"PY(
import gc, posix, sys
for name in ("bisect", "cmath", "collections", "copy", "functools", "heapq", "itertools", "json", "math", "operator",
             "os", "re", "string", "typing", "_ast"):
    __import__(name)
for name in ("PYTHONSAFEPATH",):
    posix.environ.pop(name.encode(), None)
    sys.modules["os"].environ._data.pop(name.encode(), None)
del name
gc.collect()
gc.freeze()
)PY";

struct Object;  // PyObject; the headers of one version are not needed for this

// The part of Python's C API that is used, by its names there.
struct Api {
  void (*initialize)(int) = nullptr;
  void (*set_program_name)(const wchar_t*) = nullptr;
  Object* (*compile)(const char*, const char*, int, void*, int) = nullptr;
  Object* (*evaluate)(Object*, Object*, Object*) = nullptr;
  Object* (*add_module)(const char*) = nullptr;
  Object* (*dict_of_module)(Object*) = nullptr;
  Object* (*new_list)(std::ptrdiff_t) = nullptr;
  int (*set_item)(Object*, std::ptrdiff_t, Object*) = nullptr;
  Object* (*text)(const char*) = nullptr;
  int (*set_sys)(const char*, Object*) = nullptr;
  void (*print_error)() = nullptr;
  void (*after_fork)() = nullptr;
};

struct WarmPython {
  Api api;
  std::map<std::string, Object*> drivers;  // source to code
};

WarmPython& warm() {
  static WarmPython one;
  return one;
}

template <typename Function>
bool find(void* library, const char* name, Function*& function) {
  function = reinterpret_cast<Function*>(dlsym(library, name));
  return function != nullptr;
}

bool set_flag(void* library, const char* name) {
  int* flag = static_cast<int*>(dlsym(library, name));
  if (flag != nullptr) {
    *flag = 1;
  }
  return flag != nullptr;
}

// libpython3.11.so.1.0 where python3 is a link to python3.11.
void* open_library() {
  std::error_code error;
  const std::string name = std::filesystem::canonical(kInterpreter, error).filename().string();
  return error || !name.starts_with("python3.") ? nullptr
                                                : dlopen(("lib" + name + ".so.1.0").c_str(), RTLD_NOW | RTLD_GLOBAL);
}

bool find_api(void* library, Api& api) {
  return find(library, "Py_InitializeEx", api.initialize) && find(library, "Py_SetProgramName", api.set_program_name) &&
         find(library, "Py_CompileStringExFlags", api.compile) && find(library, "PyEval_EvalCode", api.evaluate) &&
         find(library, "PyImport_AddModule", api.add_module) && find(library, "PyModule_GetDict", api.dict_of_module) &&
         find(library, "PyList_New", api.new_list) && find(library, "PyList_SetItem", api.set_item) &&
         find(library, "PyUnicode_DecodeFSDefault", api.text) && find(library, "PySys_SetObject", api.set_sys) &&
         find(library, "PyErr_Print", api.print_error) && find(library, "PyOS_AfterFork_Child", api.after_fork) &&
         set_flag(library, "Py_NoSiteFlag") && set_flag(library, "Py_DontWriteBytecodeFlag") &&
         set_flag(library, "Py_UnbufferedStdioFlag") && set_flag(library, "Py_NoUserSiteDirectory");
}

bool evaluate(const Api& api, Object* code) {
  Object* globals = api.dict_of_module(api.add_module("__main__"));
  return code != nullptr && api.evaluate(code, globals, globals) != nullptr;
}

// Threads reserve as much as the main stack may grow to; the library read that limit when this program was started.
void renew_thread_stacks() {
  rlimit stack{};
  pthread_attr_t attributes;
  if (getrlimit(RLIMIT_STACK, &stack) == 0 && pthread_getattr_default_np(&attributes) == 0) {
    if (pthread_attr_setstacksize(&attributes, stack.rlim_cur) == 0) {
      pthread_setattr_default_np(&attributes);
    }
    pthread_attr_destroy(&attributes);
  }
}

}  // namespace

bool load_warm_python(const std::vector<std::string>& drivers) {
  void* library = open_library();
  Api api;
  if (library == nullptr || !find_api(library, api)) {
    return false;
  }
  clearenv();
  for (const auto& [name, value] :
       {std::pair{"PYTHONHASHSEED", "0"}, {"PYTHONUTF8", "1"}, {"LC_ALL", "C"}, {"PYTHONSAFEPATH", "1"}}) {
    setenv(name, value, 1);
  }
  api.set_program_name(L"/usr/bin/python3");
  api.initialize(1);
  unsetenv("PYTHONSAFEPATH");
  if (!evaluate(api, api.compile(kPrepare, "<prepare>", kFileInput, nullptr, -1))) {
    return false;
  }
  for (const std::string& driver : drivers) {
    Object* code = api.compile(driver.c_str(), "<string>", kFileInput, nullptr, -1);
    if (code == nullptr) {
      return false;
    }
    warm().drivers[driver] = code;
  }
  warm().api = api;
  return true;
}

bool is_warm_python(const std::vector<std::string>& argv, const std::vector<std::string>& drivers) {
  return argv.size() >= 4 && argv[0] == kInterpreter && argv[1] == kFlags && argv[2] == "-c" &&
         std::find(drivers.begin(), drivers.end(), argv[3]) != drivers.end();
}

void run_warm_python(const std::vector<std::string>& argv) {
  const Api& api = warm().api;
  prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);  // as of any program that was executed
  prctl(PR_SET_NAME, "python3", 0, 0, 0);
  // As Python sets them when it starts.
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);
  renew_thread_stacks();
  api.after_fork();
  const std::size_t skipped = 3;  // sys.argv begins with "-c"
  Object* arguments = api.new_list(static_cast<std::ptrdiff_t>(argv.size() - skipped));
  for (std::size_t i = skipped; i < argv.size(); ++i) {
    api.set_item(arguments, static_cast<std::ptrdiff_t>(i - skipped), api.text(i == skipped ? "-c" : argv[i].c_str()));
  }
  api.set_sys("argv", arguments);
  const bool good = evaluate(api, warm().drivers.at(argv[3]));
  if (!good) {
    api.print_error();
  }
  _exit(good ? 0 : 1);
}

}  // namespace plumb
