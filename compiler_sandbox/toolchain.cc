#include "compiler_sandbox/toolchain.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "compiler_sandbox/drivers.h"
#include "compiler_sandbox/launcher/root_tree.h"
#include "compiler_sandbox/local_tool.h"
#include "core/atomic_file.h"
#include "core/hash.h"

namespace plumb {

namespace {

namespace fs = std::filesystem;

constexpr const char* kInterpreter = "/usr/bin/python3";
// -I is -E -P -s; -E would ignore PYTHONHASHSEED, too. The environment holds nothing else, so leaving it out is no
// loosening. -S: no site folder, so that what is installed here does not matter; -B: no byte code is kept; -u: what was
// printed is not lost in a buffer when the program is ended after its last call.
constexpr const char* kPythonFlags = "-PsSBu";
const std::vector<std::string> kPythonEnvironment = {"PYTHONHASHSEED=0", "PYTHONUTF8=1", "LC_ALL=C"};
constexpr double kSuiteCpu = 10;  // of the tests themselves, whose author is no attacker, in seconds
const std::vector<std::string> kBuildLimits = {"/usr/bin/prlimit", "--cpu=60", "--as=8589934592"};
constexpr int kCompileProcesses = 32;  // driver, compiler, assembler, linker and their threads

// Twice the size of the prelude: for candidates that ask for all of it by name.
constexpr const char* kWholeLibrary = "#include <bits/stdc++.h>\n";

constexpr const char* kPreludeName = "prelude.h";
constexpr const char* kWholeLibraryName = "whole_library.h";
constexpr const char* kRuntimeName = "driver_runtime";

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

Error unwritable(const std::string& folder, const std::string& why) {
  return Error{"cannot write the judge's cache folder " + folder + ": " + why + "; name a writable one (cache_dir)"};
}

// Held while the large files of the cache folder are made: other processes wait and then find them made.
class FolderLock {
 public:
  explicit FolderLock(const std::string& folder)
      : file_(open((folder + "lock").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644)),
        held_(file_.valid() && flock(file_.get(), LOCK_EX) == 0) {}
  [[nodiscard]] bool held() const { return held_; }

 private:
  UniqueFd file_;
  bool held_;
};

bool asks_for_all(const std::string& source) {
  return source.find("bits/stdc++.h") != std::string::npos;
}

// `namespace std {`, not `using namespace std;`. What is added there may be meant for templates that are instances
// already.
bool adds_to_std(const std::string& source) {
  static constexpr std::string_view kWords = "namespace std";
  for (std::size_t at = source.find(kWords); at != std::string::npos; at = source.find(kWords, at + 1)) {
    const std::size_t next = source.find_first_not_of(" \t\r\n", at + kWords.size());
    if (next != std::string::npos && (source[next] == '{' || source[next] == ':')) {
      return true;
    }
  }
  return false;
}

std::string types_of(const FunctionSignature& function) {
  std::string types = function.returns;
  for (const Parameter& parameter : function.parameters) {
    types += "," + parameter.type;
  }
  return types;
}

}  // namespace

Result<std::unique_ptr<Toolchain>> Toolchain::prepare(const std::string& cache_dir, const CppCompilerOptions& cpp,
                                                      const std::string& warm_clang_folder) {
  if (access(kInterpreter, X_OK) != 0) {
    return missing(kInterpreter, "python3");
  }
  std::unique_ptr<Toolchain> tools(new Toolchain);
  PLUMB_ASSIGN(tools->cpp_, CppCompiler::find(cpp));
  PLUMB_ASSIGN(tools->cache_dir_, chosen_folder(cache_dir));
  tools->version_ = sha256_hex(tools->cpp_.identity() + cpp_prelude() + cpp_driver_runtime()).substr(0, 16);
  std::error_code error;
  fs::create_directories(fs::path(tools->cache_dir_) / tools->version_, error);
  if (error) {
    return unwritable(tools->cache_dir_, error.message());
  }
  tools->cache_dir_ = fs::canonical(tools->cache_dir_, error).string();
  tools->folder_ = tools->cache_dir_ + "/" + tools->version_ + "/";
  const FolderLock lock(tools->folder_);
  if (!lock.held()) {
    return unwritable(tools->cache_dir_, std::strerror(errno));
  }
  if (const std::string text = tools->cpp_.uninstrumented(); !text.empty()) {
    PLUMB_TRY(write_file_atomic(tools->folder_ + kUninstrumented, text));
    fs::permissions(tools->folder_ + kUninstrumented, static_cast<fs::perms>(0644), error);
  }
  PLUMB_TRY(tools->make(kPreludeName, cpp_prelude(), Product::kHeader));
  PLUMB_TRY(tools->make(kWholeLibraryName, kWholeLibrary, Product::kHeader));
  PLUMB_TRY(tools->make(kRuntimeName, cpp_driver_runtime(), Product::kObject));
  if (!warm_clang_folder.empty()) {
    PLUMB_ASSIGN(tools->warm_, find_warm_clang(warm_clang_folder, tools->folder_, tools->cpp_));
  }
  return tools;
}

Result<void> Toolchain::make(const std::string& name, const std::string& text, Product product) const {
  const std::string source = folder_ + name;
  const std::string output = source + (product == Product::kHeader ? cpp_.header_suffix() : ".o");
  if (fs::exists(output)) {
    return {};
  }
  // Aside, under a name of this process alone: another one may be making the same file.
  const std::string mark = "." + std::to_string(getpid()) + ".partial";
  PLUMB_TRY(write_file_atomic(source + mark, text));
  std::vector<std::string> command = product == Product::kHeader
                                         ? cpp_.precompile(text, source + mark, output + mark)
                                         : cpp_.compile(folder_ + kPreludeName, source + mark, output + mark);
  // What is compiled is our own text, but a driver's types may be a candidate's choice (is_own_cpp_type bounds them).
  command.insert(command.begin(), kBuildLimits.begin(), kBuildLimits.end());
  const auto built = run_local_tool(command);
  std::error_code error;
  if (!built) {
    fs::remove(source + mark, error);
    fs::remove(output + mark, error);
    return built.error().with_context("cannot build " + output);
  }
  for (const std::string& path : {source, output}) {
    // Programs run with ids of their own and must be able to read it.
    fs::permissions(path + mark, static_cast<fs::perms>(0644), error);
    fs::rename(path + mark, path, error);
    if (error) {
      return Error{"cannot put " + path + " in its place: " + error.message()};
    }
  }
  return {};
}

Result<std::string> Toolchain::driver_for(const FunctionSignature& function) {
  const std::string types = types_of(function);
  std::promise<Result<std::string>> promise;
  std::shared_future<Result<std::string>> known;
  {
    const std::lock_guard lock(mutex_);
    const auto [place, is_new] = drivers_.try_emplace(types);
    if (is_new) {
      place->second = promise.get_future().share();
    } else {
      known = place->second;
    }
  }
  if (known.valid()) {
    return known.get();
  }
  const std::string source = cpp_driver(function);
  const std::string name = "driver_" + sha256_hex(source).substr(0, 16);
  const auto made = make(name, source, Product::kObject);
  Result<std::string> result = made ? Result<std::string>(name + ".o") : Result<std::string>(made.error());
  if (!made) {
    const std::lock_guard lock(mutex_);
    drivers_.erase(types);
  }
  promise.set_value(result);
  return result;
}

bool Toolchain::is_whole(const std::string& driver) const {
  std::error_code error;
  const auto there = [&](const std::string& name) { return fs::exists(folder_ + name, error); };
  return there(driver) && there(kPreludeName) && there(kPreludeName + cpp_.header_suffix()) &&
         there(kWholeLibraryName) && there(kWholeLibraryName + cpp_.header_suffix()) &&
         there(std::string(kRuntimeName) + ".o") && (cpp_.uninstrumented().empty() || there(kUninstrumented)) &&
         (!warm_ || there(warm_->object));
}

// A warm start takes namespaces: there the cache folder is always at kCacheMount.
nlohmann::json Toolchain::warm_clang() const {
  const std::string folder = std::string(kCacheMount) + "/" + version_ + "/";
  return !warm_ ? nlohmann::json()
                : nlohmann::json{{"library", folder + warm_->library},
                                 {"instances", warm_->instances},
                                 {"sizes", folder + warm_->sizes},
                                 {"argv", cpp_.compile_without_header(folder + kUninstrumented)},
                                 {"replaces", cpp_.compile_candidate(folder + kWholeLibraryName)}};
}

bool Toolchain::starts_warm(const std::string& source) const {
  return warm_ && asks_for_all(source) && !adds_to_std(source);
}

Step Toolchain::tool_step(const Limits& limits, std::vector<std::string> argv) {
  Step step;
  step.argv = std::move(argv);
  step.environment = {"PATH=/usr/bin:/bin", "LC_ALL=C", "TMPDIR=tmp"};
  step.cpu_s = limits.compile_cpu_s;
  step.wall_s = limits.compile_wall_s;
  step.memory_bytes = std::int64_t{limits.compile_memory_mib} << 20;
  step.processes = kCompileProcesses;
  step.file_bytes = std::int64_t{64} << 20;
  return step;
}

std::string Toolchain::header_for(const std::string& source, const std::string& cache_inside) const {
  return cache_inside + "/" + version_ + "/" + (asks_for_all(source) ? kWholeLibraryName : kPreludeName);
}

std::vector<std::string> Toolchain::library_objects(const std::string& source, const std::string& cache) const {
  return starts_warm(source) ? std::vector{cache + warm_->object} : std::vector<std::string>{};
}

std::vector<Step> Toolchain::build_steps(const Submission& submission, const std::string& driver,
                                         const std::string& cache_inside) const {
  const Limits& limits = submission.limits;
  const std::string cache = cache_inside + "/" + version_ + "/";
  std::vector<std::string> objects{cache + driver, cache + kRuntimeName + ".o"};
  for (const std::string& object : library_objects(submission.source, cache)) {
    objects.push_back(object);
  }
  return {tool_step(limits, cpp_.compile_candidate(header_for(submission.source, cache_inside))),
          tool_step(limits, cpp_.link_candidate(objects, true))};
}

std::vector<std::string> Toolchain::parse_arguments(const std::string& source, const std::string& cache_inside) const {
  return cpp_.parse_arguments(header_for(source, cache_inside));
}

std::vector<Step> Toolchain::program_steps(const LanguageFile& language, const Limits& limits,
                                           const std::string& source, const std::string& cache_inside) const {
  if (language.precompiled_headers) {
    return {
        tool_step(limits, cpp_.compile_candidate(header_for(source, cache_inside))),
        tool_step(limits, cpp_.link_candidate(library_objects(source, cache_inside + "/" + version_ + "/"), false))};
  }
  std::vector<Step> steps;
  for (const auto& command : language.build) {
    steps.push_back(tool_step(limits, filled_in(command, limits.compile_memory_mib)));
    steps.back().environment = language.environment;
    steps.back().processes += language.extra_processes;
  }
  return steps;
}

Step Toolchain::program_run_step(const LanguageFile& language, const Limits& limits) const {
  Step step;
  step.argv = filled_in(language.run, limits.memory_mib);
  step.environment = language.environment;
  step.cpu_s = limits.cpu_s;
  step.wall_s = limits.wall_s;
  step.memory_bytes = std::int64_t{limits.memory_mib + language.extra_memory_mib} << 20;
  step.processes = limits.processes + language.extra_processes;
  step.file_bytes = std::int64_t{limits.file_mib} << 20;
  return step;
}

Step Toolchain::run_step(const Submission& submission) const {
  const Limits& limits = submission.limits;
  const FunctionSignature& function = submission.function;
  Step step;
  if (submission.language == Language::kPython) {
    step.argv = {kInterpreter, kPythonFlags, "-c", python_driver()};
    const bool any = !submission.suite.code.empty();
    step.argv.insert(step.argv.end(), {any ? kAnyFunction : function.name, std::to_string(function.parameters.size())});
    step.environment = kPythonEnvironment;
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

Step Toolchain::suite_step(const Submission& submission) {
  Step step;
  step.argv = {kInterpreter, kPythonFlags, "-c", python_suite_driver()};
  step.environment = kPythonEnvironment;
  // They wait while the candidate computes.
  step.cpu_s = kSuiteCpu;
  step.wall_s = submission.limits.wall_s + kSuiteCpu;
  return step;
}

std::map<std::string, std::string> work_files(const Submission& submission, CppCallee callee) {
  if (submission.language == Language::kPython) {
    return {{"solution.py", submission.source}};
  }
  return {{"solution.cpp", cpp_unit(submission.function, submission.source, callee)}};
}

}  // namespace plumb
