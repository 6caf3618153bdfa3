#pragma once
// How programs are compiled and started, and what is prepared for that in the cache folder: the standard
// library as precompiled headers, and one driver object for every combination of argument and result types.

#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "compiler_sandbox/cpp_call.h"
#include "compiler_sandbox/cpp_compiler.h"
#include "compiler_sandbox/judge.h"
#include "compiler_sandbox/warm_clang.h"
#include "compiler_sandbox/worker.h"
#include "core/result.h"

namespace plumb {

/// The tools of this machine and the cache folder. Safe to use from many threads.
class Toolchain {
 public:
  /// Prepares `cache_dir` (made if absent; empty = $XDG_CACHE_HOME/plumb/sandbox): one folder for each compiler version
  /// and set of flags, files in it whole or absent. Errors: no compiler, no interpreter, an unwritable folder.
  /// `warm_clang_folder`: where the build left the files of warm_clang.h; empty = it is not to be used.
  static Result<std::unique_ptr<Toolchain>> prepare(const std::string& cache_dir, const CppCompilerOptions& cpp = {},
                                                    const std::string& warm_clang_folder = "");

  [[nodiscard]] const std::string& cache_dir() const { return cache_dir_; }
  /// CppCompiler::identity() of the C++ compiler.
  [[nodiscard]] const std::string& cpp_identity() const { return cpp_.identity(); }
  [[nodiscard]] std::vector<std::vector<std::string>> cpp_version_commands() const { return cpp_.version_commands(); }

  /// What a launcher has to be told to compile from a warm start (launcher/warm_clang.h); null where it cannot.
  [[nodiscard]] nlohmann::json warm_clang() const;
  /// Whether that is how a candidate with this source text is compiled: one that asks for the whole library.
  [[nodiscard]] bool starts_warm(const std::string& source) const;

  /// The name of the driver object for the types of `function`, which is built now if the cache lacks it.
  Result<std::string> driver_for(const FunctionSignature& function);
  /// Whether all that a compilation with `driver` needs is still in the cache folder.
  [[nodiscard]] bool is_whole(const std::string& driver) const;

  /// Compiles work/solution.cpp, then links it to work/program; `cache_inside` is the cache folder as the sandbox sees
  /// it. The compiler's limits hold for all steps together.
  [[nodiscard]] std::vector<Step> build_steps(const Submission& submission, const std::string& driver,
                                              const std::string& cache_inside) const;
  /// What libclang needs to be told to read a candidate as it is compiled.
  [[nodiscard]] std::vector<std::string> parse_arguments(const std::string& source,
                                                         const std::string& cache_inside) const;
  /// Builds a whole program in `language` from its source file; `source` is that file's text.
  [[nodiscard]] std::vector<Step> program_steps(const LanguageFile& language, const Limits& limits,
                                                const std::string& source, const std::string& cache_inside) const;
  /// Runs it; standard input and output are the caller's.
  [[nodiscard]] Step program_run_step(const LanguageFile& language, const Limits& limits) const;
  /// Runs the tests of a suite that is sent over descriptor 3, and makes their calls over it.
  [[nodiscard]] static Step suite_step(const Submission& submission);
  /// Runs the program, or the module, that the session's work folder holds, and serves calls on descriptor 3.
  [[nodiscard]] Step run_step(const Submission& submission) const;

 private:
  Toolchain() = default;
  enum class Product { kHeader, kObject };
  /// Makes the precompiled header or the object of `text` under `name` unless it is there.
  [[nodiscard]] Result<void> make(const std::string& name, const std::string& text, Product product) const;
  /// Objects of the library that a candidate with `source` is linked with.
  [[nodiscard]] std::vector<std::string> library_objects(const std::string& source, const std::string& cache) const;
  /// Path without suffix of the precompiled header for `source`.
  [[nodiscard]] std::string header_for(const std::string& source, const std::string& cache_inside) const;
  [[nodiscard]] static Step tool_step(const Limits& limits, std::vector<std::string> argv);

  CppCompiler cpp_;
  std::string cache_dir_;
  std::string version_;  // the folder of this compiler and these flags, below cache_dir_
  std::string folder_;   // its path
  std::optional<WarmClang> warm_;
  std::mutex mutex_;
  std::map<std::string, std::shared_future<Result<std::string>>> drivers_;  // by types
};

/// What the judge puts into the session's work folder; `callee` is what the function is in C++.
std::map<std::string, std::string> work_files(const Submission& submission, CppCallee callee = CppCallee::kFunction);

}  // namespace plumb
