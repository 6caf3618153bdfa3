#include "compiler_sandbox/clang_reader.h"

#include <unistd.h>

#include <filesystem>

#include "core/atomic_file.h"
#include "core/hash.h"

namespace plumb {
namespace {

namespace fs = std::filesystem;

constexpr const char* kProgram = "plumb-clang-reader";
constexpr int kPrintedBytes = 256 << 10;
constexpr std::size_t kMostText = 500;
// Ends of a tool that are no doing of the text's: of plumb-clang-reader, and of the shell that starts it.
constexpr int kWrongUsage = 2;
constexpr int kNotExecutable = 126;
constexpr int kNotFound = 127;

// As one word of a shell.
std::string quoted(const std::string& word) {
  std::string out = "'";
  for (const char c : word) {
    out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return out + "'";
}

// A tool as a program whose input is the source.
Submission look_with(const char* language, std::string tool, const std::string& source) {
  Submission look;
  look.program_language = language;
  look.source = std::move(tool);
  look.program_tests.push_back({source, ""});
  look.limits = {.cpu_s = 20, .wall_s = 60, .memory_mib = 1024, .output_bytes = kPrintedBytes};
  look.shown_output_bytes = kPrintedBytes;
  return look;
}

}  // namespace

Result<std::string> place_clang_reader(const std::string& launcher, const std::string& cache_dir) {
  const fs::path built = fs::path(launcher).parent_path() / kProgram;
  std::error_code error;
  if (!fs::exists(built, error)) {
    return std::string();
  }
  PLUMB_ASSIGN(const std::string content, read_file(built.string()));
  const std::string name = std::string(kProgram) + "_" + sha256_hex(content).substr(0, 16);
  const std::string path = cache_dir + "/" + name;
  if (!fs::exists(path, error)) {
    const std::string aside = path + "." + std::to_string(getpid());
    PLUMB_TRY(write_file_atomic(aside, content));
    fs::permissions(aside, static_cast<fs::perms>(0755), error);  // programs run with ids of their own
    fs::rename(aside, path, error);
  }
  return error ? Result<std::string>(Error{"cannot put " + path + " in its place: " + error.message()}) : name;
}

std::vector<std::string> clang_reader_command(const std::string& path, bool c,
                                              const std::vector<std::string>& cpp_arguments) {
  std::vector<std::string> command{path, "-x", c ? "c" : "c++"};
  command.insert(command.end(), cpp_arguments.begin(), cpp_arguments.end());
  std::erase(command, "-w");
  if (c) {
    command.emplace_back("-std=gnu17");
  }
  command.insert(command.end(), {"-Wall", "-Wextra", "-Wformat=2"});
  return command;
}

Submission clang_look(std::vector<std::string> command, const std::string& source, const nlohmann::json& question) {
  command.insert(command.begin() + 1, question.dump());
  // The text shall find the folder as the compiler does: __has_include would tell it that it is only read.
  std::string line = "rm -f \"$0\"; exec";
  for (const std::string& word : command) {
    line += " " + quoted(word);
  }
  return look_with("bash", line + "\n", source);
}

Result<Submission> clang_look(const Judge& judge, const std::string& language, const std::string& source,
                              const nlohmann::json& question) {
  std::vector<std::string> command = judge.clang_reader(language, source);
  if (command.empty()) {
    return Error{
        "C and C++ are read with clang's libraries, which plumb was built without: install clang-16, "
        "libclang-16-dev, libclang-cpp16-dev and llvm-16-dev, and build again"};
  }
  return clang_look(std::move(command), source, question);
}

Submission python_look(std::string tool, const std::string& source) {
  return look_with("python", std::move(tool), source);
}

bool broke_on_the_text(const Evidence& look) {
  switch (look.verdict) {
    case Verdict::kTLE:
    case Verdict::kMLE:
    case Verdict::kOLE:
      return true;
    case Verdict::kRE:
      return look.exit_code != kWrongUsage && look.exit_code != kNotExecutable && look.exit_code != kNotFound;
    default:
      return false;
  }
}

Result<std::string> printed_by(const Evidence& look) {
  if (look.verdict == Verdict::kSE) {
    return Error{look.fault};
  }
  if (look.exit_code != 0) {
    return Error{"the tool ended with " + std::string(to_string(look.verdict)) +
                 (look.errors.empty() ? "" : ": " + look.errors.substr(0, kMostText))};
  }
  return look.output;
}

}  // namespace plumb
