// plumb sandbox: run one program in the sandbox, list the languages.

#include <cstdio>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <memory>
#include <utility>

#include "apps/plumb/subcommand.h"
#include "compiler_sandbox/judge.h"
#include "core/atomic_file.h"
#include "core/escape.h"

namespace plumb {
namespace {

constexpr int kShownBytes = 1 << 16;

struct SandboxCommand {
  std::string file;
  std::string language;
  std::string input;     // a file; "-" is standard input
  std::string expected;  // a file
  Limits limits;
  JudgeOptions judge;
};

// The language whose source files end like `path`; empty where there is none.
std::string language_of(const std::string& path, const Languages& languages) {
  const std::filesystem::path ending = std::filesystem::path(path).extension();
  const bool is_cpp = ending == ".cc" || ending == ".cxx";  // C++ has more endings than one
  for (const auto& [name, language] : languages) {
    if (std::filesystem::path(language.source).extension() == (is_cpp ? ".cpp" : ending)) {
      return name;
    }
  }
  return "";
}

Result<std::string> read_input(const std::string& path) {
  if (path.empty()) {
    return std::string();
  }
  if (path == "-") {
    return std::string(std::istreambuf_iterator<char>(std::cin), {});
  }
  return read_file(path);
}

void print(const Evidence& evidence, bool compared) {
  std::string verdict(to_string(evidence.verdict));
  if (!compared && evidence.verdict == Verdict::kAC) {
    verdict = "ran to its end";
  }
  std::printf("%s\n", strip_terminal(evidence.output).c_str());
  if (!evidence.errors.empty()) {
    std::fprintf(stderr, "%s\n", strip_terminal(evidence.errors).c_str());
  }
  for (const auto& [text, name] : {std::pair{&evidence.output, "output"}, std::pair{&evidence.errors, "messages"}}) {
    if (std::ssize(*text) >= kShownBytes) {
      std::fprintf(stderr, "  (its %s is cut here, after %d bytes)\n", name, kShownBytes);
    }
  }
  if (evidence.signal != 0) {
    verdict += " (signal " + std::to_string(evidence.signal) + ")";
  } else if (evidence.exit_code > 0) {
    verdict += " (exit status " + std::to_string(evidence.exit_code) + ")";
  }
  std::fprintf(stderr, "%s: cpu %.3f s, wall %.3f s, peak %.1f MiB, isolation %s\n", verdict.c_str(), evidence.cpu_s,
               evidence.wall_s, evidence.peak_mib, evidence.isolation.c_str());
  for (const Diagnostic& one : evidence.diagnostics) {
    const std::string place =
        one.line > 0 ? "line " + std::to_string(one.line) + ":" + std::to_string(one.column) + ": " : "";
    std::fprintf(stderr, "  %s: %s%s\n", one.severity.c_str(), place.c_str(), strip_terminal(one.message).c_str());
  }
  if (!evidence.fault.empty()) {
    std::fprintf(stderr, "  %s\n", strip_terminal(evidence.fault).c_str());
  }
}

Result<int> run_program(const SandboxCommand& command) {
  PLUMB_ASSIGN(const auto judge, start_judge(command.judge));
  Submission submission;
  submission.program_language =
      command.language.empty() ? language_of(command.file, judge->languages()) : command.language;
  if (submission.program_language.empty()) {
    return Error{command.file + ": cannot tell its language from its name; say --lang (plumb sandbox languages)"};
  }
  PLUMB_ASSIGN(submission.source, read_file(command.file));
  ProgramTest test;
  PLUMB_ASSIGN(test.input, read_input(command.input));
  const bool compared = !command.expected.empty();
  PLUMB_ASSIGN(test.output, read_input(command.expected));
  submission.program_tests.push_back(std::move(test));
  submission.limits = command.limits;
  submission.shown_output_bytes = kShownBytes;
  Evidence evidence = judge->judge(submission);
  const bool other_output = evidence.verdict == Verdict::kWA || evidence.verdict == Verdict::kPE;
  if (!compared && other_output) {  // nothing was asked of the output
    evidence.verdict = Verdict::kAC;
    std::erase_if(evidence.diagnostics, [](const Diagnostic& one) { return one.severity != "warning"; });
  }
  print(evidence, compared);
  return evidence.verdict == Verdict::kAC ? 0 : 1;
}

Result<int> list_languages(const JudgeOptions& options) {
  PLUMB_ASSIGN(const auto judge, start_judge(options));
  for (const auto& [name, language] : judge->languages()) {
    const std::string state = language.missing.empty() ? "ready" : language.missing + " is not installed";
    std::printf("%-12s %-12s %s\n", name.c_str(), language.source.c_str(), state.c_str());
  }
  return 0;
}

}  // namespace

void register_sandbox(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("sandbox", "Run one program in the sandbox; list its languages");
  command->require_subcommand(1);
  auto options = std::make_shared<SandboxCommand>();
  CLI::App* run = command->add_subcommand("run", "Run a program; exit status 0 where it is accepted");
  run->add_option("file", options->file, "the source")->required();
  run->add_option("--lang", options->language, "its language; else told from the file's name");
  run->add_option("--stdin", options->input, "a file that it reads; - is standard input");
  run->add_option("--expect", options->expected, "a file with what it should print, compared word by word");
  run->add_option("--cpu-s", options->limits.cpu_s, "CPU time, seconds")->check(above_zero());
  const CLI::Option* wall =
      run->add_option("--wall-s", options->limits.wall_s, "wall time, seconds; else five times the CPU time")
          ->check(above_zero());
  run->add_option("--memory-mib", options->limits.memory_mib, "memory, MiB")->check(above_zero());
  run->add_option("--allow", options->judge.allow, "isolation layers that may be missing (docs/sandbox.md)");
  run->add_option("--output-bytes", options->limits.output_bytes, "of what it prints, then it ends with OLE")
      ->check(above_zero());
  run->add_option("--processes", options->limits.processes, "at once, threads included")->check(above_zero());
  run->callback([options, wall, &action] {
    options->limits.wall_s = wall->empty() ? kWallOfCpu * options->limits.cpu_s : options->limits.wall_s;
    action = [options] { return run_program(*options); };
  });
  CLI::App* languages = command->add_subcommand("languages", "The languages, and which of them this machine can judge");
  languages->add_option("--allow", options->judge.allow, "isolation layers that may be missing (docs/sandbox.md)");
  languages->callback([options, &action] { action = [options] { return list_languages(options->judge); }; });
}

}  // namespace plumb
