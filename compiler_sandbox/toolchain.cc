#include "compiler_sandbox/toolchain.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "compiler_sandbox/drivers.h"
#include "compiler_sandbox/local_tool.h"
#include "core/atomic_file.h"
#include "core/hash.h"

namespace plumb {

namespace {

namespace fs = std::filesystem;

constexpr const char* kCompiler = "/usr/bin/g++";
constexpr const char* kInterpreter = "/usr/bin/python3";
constexpr const char* kMold = "/usr/bin/mold";
constexpr int kCompileProcesses = 32;  // driver, compiler, assembler, linker and their threads

// What candidates may use without including it. A candidate's own #include lines cost next to nothing after it.
constexpr const char* kPrelude = R"SOURCE(#include <algorithm>
#include <array>
#include <bitset>
#include <cassert>
#include <cctype>
#include <cfloat>
#include <climits>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <exception>
#include <functional>
#include <iomanip>
#include <iostream>
#include <iterator>
#include <limits>
#include <list>
#include <map>
#include <numeric>
#include <optional>
#include <queue>
#include <set>
#include <sstream>
#include <stack>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>
)SOURCE";

// Twice the size of the one above: for candidates that ask for all of it by name.
constexpr const char* kWholeLibrary = "#include <bits/stdc++.h>\n";

constexpr const char* kPreludeName = "prelude.h";
constexpr const char* kWholeLibraryName = "whole_library.h";

Error missing(const std::string& program, const std::string& package) {
  return Error{program + " is not there: install the package " + package + ", the judge needs it"};
}

Result<std::string> chosen_folder(const std::string& option) {
  if (!option.empty()) {
    return option;
  }
  const char* cache = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  if (cache != nullptr && *cache != '\0') {
    return std::string(cache) + "/plumb/sandbox";
  }
  if (home != nullptr && *home != '\0') {
    return std::string(home) + "/.cache/plumb/sandbox";
  }
  return Error{"the judge has no cache folder: set cache_dir, or XDG_CACHE_HOME or HOME in the environment"};
}

std::string types_of(const FunctionSignature& function) {
  std::string types = function.returns;
  for (const Parameter& parameter : function.parameters) {
    types += "," + parameter.type;
  }
  return types;
}

}  // namespace

const std::vector<std::string>& cpp_flags() {
  // -O1 compiles faster than -O0 here (less for the assembler to read) and runs faster, too. Undefined behaviour that
  // UBSan sees stops the program; -fno-sanitize=vptr as that check has no trapping form. -D_GLIBCXX_ASSERTIONS: an
  // index outside a vector stops it, too.
  static const std::vector<std::string> flags{"-std=c++20",
                                              "-O1",
                                              "-Werror=return-type",
                                              "-ftrivial-auto-var-init=pattern",
                                              "-fsanitize=undefined",
                                              "-fno-sanitize=vptr",
                                              "-fsanitize-undefined-trap-on-error",
                                              "-D_GLIBCXX_ASSERTIONS",
                                              "-ffp-contract=off",
                                              "-pipe"};
  return flags;
}

Result<std::unique_ptr<Toolchain>> Toolchain::prepare(const std::string& cache_dir) {
  if (access(kCompiler, X_OK) != 0) {
    return missing(kCompiler, "g++");
  }
  if (access(kInterpreter, X_OK) != 0) {
    return missing(kInterpreter, "python3");
  }
  std::unique_ptr<Toolchain> tools(new Toolchain);
  tools->has_mold_ = access(kMold, X_OK) == 0;
  PLUMB_ASSIGN(tools->cache_dir_, chosen_folder(cache_dir));
  PLUMB_ASSIGN(const std::string version, run_local_tool({kCompiler, "--version"}));
  std::string key = version + kPrelude;
  for (const std::string& flag : cpp_flags()) {
    key += flag + " ";
  }
  tools->folder_ = sha256_hex(key).substr(0, 16);
  const fs::path folder = fs::path(tools->cache_dir_) / tools->folder_;
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) {
    return Error{"cannot make the judge's cache folder " + folder.string() + ": " + error.message() +
                 "; name a writable one (cache_dir)"};
  }
  tools->cache_dir_ = fs::canonical(tools->cache_dir_, error).string();
  PLUMB_TRY(tools->precompile(kPreludeName, kPrelude));
  PLUMB_TRY(tools->precompile(kWholeLibraryName, kWholeLibrary));
  return tools;
}

Result<void> Toolchain::precompile(const std::string& name, const std::string& text) const {
  const std::string path = (fs::path(cache_dir_) / folder_ / name).string();
  if (!fs::exists(path)) {
    PLUMB_TRY(write_file_atomic(path, text));
  }
  return fs::exists(path + ".gch") ? Result<void>() : build({"-x", "c++-header", path}, path + ".gch");
}

Result<void> Toolchain::build(const std::vector<std::string>& arguments, const std::string& output) const {
  std::vector<std::string> argv{kCompiler};
  argv.insert(argv.end(), cpp_flags().begin(), cpp_flags().end());
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  const std::string aside = output + "." + std::to_string(getpid()) + ".partial";
  argv.insert(argv.end(), {"-o", aside});
  if (const auto built = run_local_tool(argv); !built) {
    fs::remove(aside);
    return built.error().with_context("cannot build " + output);
  }
  // Programs run with ids of their own and must be able to read it.
  std::error_code error;
  fs::permissions(
      aside, fs::perms::owner_read | fs::perms::owner_write | fs::perms::group_read | fs::perms::others_read, error);
  fs::rename(aside, output, error);
  if (error) {
    return Error{"cannot put " + output + " in its place: " + error.message()};
  }
  return {};
}

Result<std::string> Toolchain::driver_object(const FunctionSignature& function) {
  const std::lock_guard lock(mutex_);
  const std::string types = types_of(function);
  if (const auto known = drivers_.find(types); known != drivers_.end()) {
    return known->second;
  }
  const std::string source = cpp_driver(function);
  const std::string name = folder_ + "/driver_" + sha256_hex(source).substr(0, 16);
  const fs::path path = fs::path(cache_dir_) / name;
  if (!fs::exists(path.string() + ".o")) {
    PLUMB_TRY(write_file_atomic(path.string() + ".cc", source));
    const std::string header = (path.parent_path() / kPreludeName).string();
    PLUMB_TRY(build({"-include", header, "-c", path.string() + ".cc"}, path.string() + ".o"));
  }
  return drivers_[types] = name + ".o";
}

bool Toolchain::is_whole(const std::string& driver_object) const {
  const fs::path base(cache_dir_);
  std::error_code error;
  return fs::exists(base / driver_object, error) && fs::exists(base / folder_ / kPreludeName, error);
}

Step Toolchain::compile_step(const Submission& submission, const std::string& driver_object,
                             const std::string& cache_inside) const {
  const Limits& limits = submission.limits;
  const bool whole = submission.source.find("bits/stdc++.h") != std::string::npos;
  Step step;
  step.argv = {kCompiler};
  step.argv.insert(step.argv.end(), cpp_flags().begin(), cpp_flags().end());
  step.argv.insert(step.argv.end(),
                   {"-include", cache_inside + "/" + folder_ + "/" + (whole ? kWholeLibraryName : kPreludeName),
                    "-fdiagnostics-color=never", "-fno-diagnostics-show-caret", "-fmax-errors=20", "solution.cpp",
                    cache_inside + "/" + driver_object, "-o", "program", "-Wl,--wrap=main"});
  if (has_mold_) {
    step.argv.insert(step.argv.end(), {"-fuse-ld=mold", "-Wl,--no-threads,--no-fork"});
  }
  step.environment = {"PATH=/usr/bin:/bin", "LC_ALL=C", "TMPDIR=tmp"};
  step.cpu_s = limits.compile_cpu_s;
  step.wall_s = limits.compile_wall_s;
  step.memory_bytes = std::int64_t{limits.compile_memory_mib} << 20;
  step.processes = kCompileProcesses;
  step.file_bytes = std::int64_t{64} << 20;
  return step;
}

Step Toolchain::run_step(const Submission& submission) const {
  const Limits& limits = submission.limits;
  const FunctionSignature& function = submission.function;
  Step step;
  if (submission.language == Language::kPython) {
    // -I is -E -P -s; -E would ignore PYTHONHASHSEED, too. The environment holds nothing else, so leaving it out is no
    // loosening. -S: no site folder, so that what is installed here does not matter; -B: no byte code is kept.
    step.argv = {kInterpreter,
                 "-P",
                 "-s",
                 "-S",
                 "-B",
                 "-c",
                 python_driver(),
                 function.name,
                 std::to_string(function.parameters.size())};
    step.environment = {"PYTHONHASHSEED=0", "PYTHONUTF8=1", "LC_ALL=C"};
  } else {
    step.argv = {"./program"};
    step.environment = {"LC_ALL=C"};
  }
  step.cpu_s = limits.cpu_s;
  step.wall_s = limits.wall_s;
  step.memory_bytes = std::int64_t{limits.memory_mib} << 20;
  step.processes = limits.processes;
  step.file_bytes = std::int64_t{limits.file_mib} << 20;
  return step;
}

std::map<std::string, std::string> work_files(const Submission& submission) {
  if (submission.language == Language::kPython) {
    return {{"solution.py", submission.source}};
  }
  return {{"solution.cpp", cpp_declaration(submission.function) + "#line 1 \"solution.cpp\"\n" + submission.source}};
}

}  // namespace plumb
