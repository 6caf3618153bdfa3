#pragma once
// The C++ compiler of this machine and its command lines. The link step calls the linker itself: what a driver,
// collect2 and a plug-in cost in between is more than the linking.

#include <string>
#include <vector>

#include "core/result.h"

namespace plumb {

/// Flags that every C++ candidate is compiled with, whichever compiler it is; part of the evidence's meaning
/// (docs/sandbox.md). `optimization` is the level of -O.
std::vector<std::string> cpp_flags(int optimization);

/// Which compiler to use.
struct CppCompilerOptions {
  std::string family;    // "clang", "gcc", or empty: clang where it is installed
  int optimization = 1;  // 0 to 3
};

inline constexpr const char* kUninstrumented = "uninstrumented.txt";

/// Command lines; the first word is the program. Candidates are solution.cpp in the work folder, and become program.
class CppCompiler {
 public:
  /// Errors: neither is installed, or the one that was asked for is not; an unknown family or level.
  static Result<CppCompiler> find(const CppCompilerOptions& options);

  /// Text that differs where the compiler's output may: version, flags, how headers are precompiled.
  [[nodiscard]] const std::string& identity() const { return identity_; }
  /// The same without the level of optimisation: objects with equal ones can be linked with each other.
  [[nodiscard]] const std::string& library_identity() const { return library_identity_; }
  [[nodiscard]] bool is_clang() const { return clang_; }
  /// Commands that say the versions of compiler and linker.
  [[nodiscard]] std::vector<std::vector<std::string>> version_commands() const {
    return {{path_, "--version"}, {link_.front(), "--version"}};
  }
  /// The suffix of precompiled headers.
  [[nodiscard]] std::string header_suffix() const { return clang_ ? ".pch" : ".gch"; }

  /// What clang is not to instrument: a file of this text, by the name kUninstrumented, has to lie beside every header.
  /// Empty: no file is needed.
  [[nodiscard]] std::string uninstrumented() const;

  /// Precompiles the header `source`, whose `text` is lines of #include <...> alone, to `output`.
  [[nodiscard]] std::vector<std::string> precompile(const std::string& text, const std::string& source,
                                                    const std::string& output) const;
  /// Compiles `source`, C++ of our own, to the object `output`, with the precompiled `header` (a path without suffix).
  [[nodiscard]] std::vector<std::string> compile(const std::string& header, const std::string& source,
                                                 const std::string& output) const;
  /// Compiles the candidate to solution.o, with all it asks for read from its own header files; clang only. The file
  /// `uninstrumented` holds uninstrumented().
  [[nodiscard]] std::vector<std::string> compile_without_header(const std::string& uninstrumented) const;
  /// What libclang needs to be told to read a candidate with that header.
  [[nodiscard]] std::vector<std::string> parse_arguments(const std::string& header) const;
  /// Compiles the candidate to solution.o.
  [[nodiscard]] std::vector<std::string> compile_candidate(const std::string& header) const;
  /// Links solution.o and `objects` to program; `wrap_main` gives main() the name __real_main and calls __wrap_main.
  [[nodiscard]] std::vector<std::string> link_candidate(const std::vector<std::string>& objects, bool wrap_main) const;

 private:
  [[nodiscard]] std::vector<std::string> start() const;

  bool clang_ = false;
  std::string path_;
  std::vector<std::string> flags_;
  std::string identity_;
  std::string library_identity_;
  std::vector<std::string> link_;  // the linker's command line, kObjects where the objects go
};

}  // namespace plumb
