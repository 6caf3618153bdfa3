#include "compiler_sandbox/cpp_compiler.h"

#include <unistd.h>

#include <sstream>

#include "compiler_sandbox/local_tool.h"

namespace plumb {

namespace {

constexpr const char* kClang = "/usr/bin/clang++-16";
constexpr const char* kGcc = "/usr/bin/g++";
constexpr const char* kMold = "/usr/bin/mold";
constexpr const char* kBfd = "/usr/bin/ld";
constexpr const char* kObjects = "--plumb-objects";

// What each spells in its own way. Both trap the same undefined behaviour: clang's list has two checks more, which have
// no trapping form or no counterpart. In braces gcc only warns where a variable is narrowed; so does clang here.
const std::vector<std::string>& family_flags(bool clang) {
  static const std::vector<std::string> clang_flags{"-fno-sanitize=vptr,function,float-cast-overflow",
                                                    "-fsanitize-trap=undefined", "-Wno-error=c++11-narrowing"};
  static const std::vector<std::string> gcc_flags{"-fno-sanitize=vptr", "-fsanitize-undefined-trap-on-error", "-pipe"};
  return clang ? clang_flags : gcc_flags;
}

// The linker's arguments as the compiler would give them. printf stands in for the linker and says them, one a line.
Result<std::vector<std::string>> linker_command() {
  PLUMB_ASSIGN(const std::string lines, run_local_tool({kGcc, "-wrapper", "/usr/bin/printf,%s\\n", "-o", "program",
                                                        std::string("-Wl,") + kObjects}));
  std::istringstream text(lines);
  std::vector<std::string> command;
  bool skip_next = false;
  for (std::string line; std::getline(text, line);) {
    // gcc's own plug-in is for link-time optimisation, which nothing here uses.
    if (!skip_next && line != "-plugin" && !line.starts_with("-plugin-opt")) {
      command.push_back(line);
    }
    skip_next = line == "-plugin";
  }
  if (command.size() < 2) {
    return Error{std::string(kGcc) + " does not say how it links: " + lines.substr(0, 200)};
  }
  command[0] = access(kMold, X_OK) == 0 ? kMold : kBfd;
  if (command[0] == kMold) {
    command.insert(command.begin() + 1, {"--no-threads", "--no-fork"});
  }
  return command;
}

}  // namespace

std::vector<std::string> cpp_flags(int optimization) {
  // Undefined behaviour that UBSan sees stops the program (the families' own flags say how); -D_GLIBCXX_ASSERTIONS: an
  // index outside a vector stops it, too.
  return {"-std=c++20",           "-O" + std::to_string(optimization),
          "-Werror=return-type",  "-ftrivial-auto-var-init=pattern",
          "-fsanitize=undefined", "-D_GLIBCXX_ASSERTIONS",
          "-ffp-contract=off"};
}

Result<CppCompiler> CppCompiler::find(const CppCompilerOptions& options) {
  if (!options.family.empty() && options.family != "clang" && options.family != "gcc") {
    return Error{"the judge knows no C++ compiler " + options.family + ": say clang or gcc"};
  }
  if (options.optimization < 0 || options.optimization > 3) {
    return Error{"-O" + std::to_string(options.optimization) + " is no optimisation level: 0 to 3"};
  }
  // gcc is needed in any case: its library and start files are what both link.
  if (access(kGcc, X_OK) != 0) {
    return Error{std::string(kGcc) + " is not there: install the package g++, the judge needs it"};
  }
  CppCompiler compiler;
  compiler.clang_ = options.family != "gcc" && access(kClang, X_OK) == 0;
  if (options.family == "clang" && !compiler.clang_) {
    return Error{std::string(kClang) + " is not there: install the package clang-16, or let the judge use gcc"};
  }
  compiler.path_ = compiler.clang_ ? kClang : kGcc;
  compiler.flags_ = cpp_flags(options.optimization);
  const auto& own = family_flags(compiler.clang_);
  compiler.flags_.insert(compiler.flags_.end(), own.begin(), own.end());
  PLUMB_ASSIGN(compiler.link_, linker_command());
  PLUMB_ASSIGN(compiler.identity_, run_local_tool({compiler.path_, "--version"}));
  compiler.library_identity_ = compiler.identity_;
  for (const std::string& flag : compiler.precompile("", "", "")) {
    compiler.identity_ += flag + " ";
    compiler.library_identity_ += flag.starts_with("-O") ? "" : flag + " ";
  }
  compiler.library_identity_ += compiler.uninstrumented();
  compiler.identity_ += compiler.uninstrumented();
  for (const std::string& word : compiler.link_) {
    compiler.identity_ += word + " ";
  }
  return compiler;
}

// A third of the time that a candidate of 40 lines takes went into checks within the standard library's templates. What
// is asked of the library wrongly, its own assertions see; a sum in <numeric> can overflow, so that stays. One pattern:
// each is tried on every function's file.
std::string CppCompiler::uninstrumented() const {
  return clang_ ? "src:*/c\\+\\+/[0-9]+/([ac-mo-z]|bits/([^s]|s[^t]|st[^l]|stl_[^n]))*\n" : "";
}

std::vector<std::string> CppCompiler::start() const {
  std::vector<std::string> argv{path_};
  argv.insert(argv.end(), flags_.begin(), flags_.end());
  return argv;
}

std::vector<std::string> CppCompiler::precompile(const std::string& text, const std::string& source,
                                                 const std::string& output) const {
  std::vector<std::string> argv = start();
  if (!clang_) {
    argv.insert(argv.end(), {"-x", "c++-header", source, "-o", output});
    return argv;
  }
  // What the headers' own inline functions use of templates is instantiated once, here, and not in every candidate.
  argv.insert(argv.end(), {"-Xclang", "-fpch-instantiate-templates"});
  // clang wants to find the source again, by its path, wherever the result is used: so it gets one that is everywhere.
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t start = line.find('<') + 1;
    argv.insert(argv.end(), {"-include", line.substr(start, line.find('>') - start)});
  }
  argv.insert(argv.end(), {"-x", "c++-header", "/dev/null", "-o", output});
  return argv;
}

std::vector<std::string> CppCompiler::parse_arguments(const std::string& header) const {
  if (!clang_) {  // g++'s precompiled header is of no use to libclang
    return {"-std=c++20", "-w", "-include", header};
  }
  std::vector<std::string> arguments = flags_;
  arguments.insert(arguments.end(), {"-w", "-Xclang", "-fno-validate-pch", "-include-pch", header + header_suffix()});
  return arguments;
}

std::vector<std::string> CppCompiler::compile(const std::string& header, const std::string& source,
                                              const std::string& output) const {
  std::vector<std::string> argv = start();
  if (clang_) {
    // The header is where it was not when it was precompiled: inside a sandbox. Its flags are these by construction.
    argv.insert(argv.end(), {"-Xclang", "-fno-validate-pch", "-include-pch", header + header_suffix()});
    argv.push_back("-fsanitize-ignorelist=" + header.substr(0, header.rfind('/') + 1) + kUninstrumented);
  } else {
    argv.insert(argv.end(), {"-include", header});
  }
  argv.insert(argv.end(), {"-c", "-x", "c++", source, "-o", output});
  return argv;
}

std::vector<std::string> CppCompiler::compile_without_header(const std::string& uninstrumented) const {
  std::vector<std::string> argv = start();
  argv.insert(argv.end(),
              {"-fsanitize-ignorelist=" + uninstrumented, "-c", "-x", "c++", "solution.cpp", "-o", "solution.o"});
  return argv;
}

std::vector<std::string> CppCompiler::compile_candidate(const std::string& header) const {
  std::vector<std::string> argv = compile(header, "solution.cpp", "solution.o");
  argv.push_back("-fdiagnostics-color=never");
  const std::vector<std::string> terse =
      clang_ ? std::vector<std::string>{"-fno-caret-diagnostics", "-fno-crash-diagnostics", "-ferror-limit=20"}
             : std::vector<std::string>{"-fno-diagnostics-show-caret", "-fmax-errors=20"};
  argv.insert(argv.end(), terse.begin(), terse.end());
  return argv;
}

std::vector<std::string> CppCompiler::link_candidate(const std::vector<std::string>& objects, bool wrap_main) const {
  std::vector<std::string> argv;
  for (const std::string& word : link_) {
    if (word != kObjects) {
      argv.push_back(word);
      continue;
    }
    if (wrap_main) {
      argv.emplace_back("--wrap=main");
    } else if (!objects.empty()) {
      // Most of what the library's objects hold is for other candidates. Beside a driver everything stays: mold says
      // nothing of a second definition of what it leaves out.
      argv.emplace_back("--gc-sections");
    }
    argv.emplace_back("solution.o");
    argv.insert(argv.end(), objects.begin(), objects.end());
  }
  return argv;
}

}  // namespace plumb
