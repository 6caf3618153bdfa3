#include "compiler_sandbox/findings.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>
#include <tuple>

#include "compiler_sandbox/findings_python.h"

namespace plumb {
namespace {

constexpr std::size_t kMostFindings = 100;
constexpr std::size_t kMostText = 500;
constexpr int kPrintedBytes = 256 << 10;

// A checker of clang's analyzer ("[core.NullDereference]") or a warning ("[-Wformat-security]"), by how its name
// begins, and where one name stands for several weaknesses a word of its message.
struct ClangRule {
  std::string_view name;
  std::string_view word;
  int cwe;
  std::string_view severity;
};
constexpr std::array kClangRules = {
    ClangRule{"core.NullDereference", "", 476, "high"},
    ClangRule{"core.NonNullParamChecker", "", 476, "high"},
    ClangRule{"core.CallAndMessage", "null", 476, "high"},
    ClangRule{"core.CallAndMessage", "", 457, "medium"},
    ClangRule{"core.DivideZero", "", 369, "medium"},
    ClangRule{"core.StackAddressEscape", "", 562, "high"},
    ClangRule{"core.UndefinedBinaryOperatorResult", "", 457, "medium"},
    ClangRule{"core.uninitialized", "", 457, "medium"},
    ClangRule{"core.BitwiseShift", "", 1335, "medium"},
    ClangRule{"unix.Malloc", "after it is freed", 416, "high"},
    ClangRule{"unix.Malloc", "free released memory", 415, "high"},
    ClangRule{"unix.Malloc", "leak", 401, "low"},
    ClangRule{"unix.Malloc", "", 763, "high"},
    ClangRule{"cplusplus.NewDeleteLeaks", "", 401, "low"},
    ClangRule{"cplusplus.NewDelete", "after it is freed", 416, "high"},
    ClangRule{"cplusplus.NewDelete", "free released memory", 415, "high"},
    ClangRule{"cplusplus.NewDelete", "", 763, "high"},
    ClangRule{"cplusplus.InnerPointer", "", 416, "high"},
    ClangRule{"unix.cstring.NullArg", "", 476, "high"},
    ClangRule{"unix.MallocSizeof", "", 131, "medium"},
    ClangRule{"alpha.unix.cstring.OutOfBounds", "", 120, "high"},
    ClangRule{"alpha.security.ArrayBoundV2", "", 121, "high"},
    ClangRule{"alpha.security.MallocOverflow", "", 680, "medium"},
    ClangRule{"alpha.security.taint.TaintPropagation", "format", 134, "high"},
    ClangRule{"alpha.security.taint.TaintPropagation", "", 78, "high"},
    ClangRule{"security.insecureAPI.gets", "", 120, "high"},
    ClangRule{"security.insecureAPI.strcpy", "", 120, "medium"},
    ClangRule{"security.insecureAPI.mktemp", "", 377, "medium"},
    ClangRule{"security.insecureAPI.UncheckedReturn", "", 252, "medium"},
    ClangRule{"security.insecureAPI.bcopy", "", 477, "low"},
    ClangRule{"security.FloatLoopCounter", "", 1339, "low"},
    ClangRule{"-Wformat-security", "", 134, "high"},
    ClangRule{"-Wformat-nonliteral", "", 134, "medium"},
    ClangRule{"-Wformat-overflow", "", 120, "high"},
    ClangRule{"-Wfortify-source", "", 120, "high"},
    ClangRule{"-Warray-bounds", "", 121, "high"},
    ClangRule{"-Winteger-overflow", "", 190, "medium"},
    ClangRule{"-Wshift-count-overflow", "", 1335, "medium"},
    ClangRule{"-Wuninitialized", "", 457, "medium"},
    ClangRule{"-Wsometimes-uninitialized", "", 457, "medium"},
    ClangRule{"-Wdivision-by-zero", "", 369, "medium"},
    ClangRule{"-Wreturn-stack-address", "", 562, "high"},
    ClangRule{"-Wsizeof-pointer-memaccess", "", 131, "medium"},
};

// What is asked of clang, by a shell in the sandbox; the text comes over standard input. The analyzer leaves the
// compiler's own warnings out, so it is called twice.
std::string clang_command(std::string_view language) {
  const std::string dialect = language == "c" ? "-x c -std=gnu17" : "-x c++ -std=c++20";
  const std::string clang = "/usr/bin/clang++-16 " + dialect + " -fno-caret-diagnostics -fno-color-diagnostics ";
  return "cat > candidate && " + clang +
         "--analyze -Xclang -analyzer-output=text -Xclang -analyzer-checker=core,unix,cplusplus,"
         "security.insecureAPI.gets,security.insecureAPI.strcpy,security.insecureAPI.mktemp,"
         "security.insecureAPI.UncheckedReturn,security.insecureAPI.bcopy,security.FloatLoopCounter,"
         "alpha.security.ArrayBoundV2,alpha.security.taint,alpha.unix.cstring.OutOfBounds,"
         "alpha.security.MallocOverflow candidate 2>&1; " +
         clang + "-fsyntax-only -Wall -Wextra -Wformat=2 candidate 2>&1";
}

std::optional<ClangRule> rule_of(std::string_view name, std::string_view message) {
  for (const ClangRule& rule : kClangRules) {
    if (name.starts_with(rule.name) && message.find(rule.word) != std::string_view::npos) {
      return rule;
    }
  }
  return std::nullopt;
}

std::optional<int> number_at(std::string_view& text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end == text.data() + text.size() || *end != ':') {
    return std::nullopt;
  }
  text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
  return number;
}

// "candidate:3:7: warning: words [name]" or, of several names, "[name,-Wother]".
std::optional<StaticFinding> clang_finding(std::string_view line, std::string_view file) {
  if (!line.starts_with(file) || line.size() <= file.size() || line[file.size()] != ':') {
    return std::nullopt;
  }
  line.remove_prefix(file.size() + 1);
  StaticFinding finding;
  const auto row = number_at(line);
  const auto column = row ? number_at(line) : std::nullopt;
  constexpr std::string_view kWarning = " warning: ";
  const std::size_t bracket = line.rfind(" [");
  if (!column || !line.starts_with(kWarning) || bracket == std::string_view::npos || bracket < kWarning.size() ||
      line.back() != ']') {
    return std::nullopt;
  }
  const std::string_view words = line.substr(kWarning.size(), bracket - kWarning.size());
  const std::string_view name = line.substr(bracket + 2, line.size() - bracket - 3);
  const auto rule = rule_of(name, words);
  if (!rule) {
    return std::nullopt;
  }
  return StaticFinding{.rule = std::string(name),
                       .cwe = rule->cwe,
                       .severity = std::string(rule->severity),
                       .line = *row,
                       .column = *column,
                       .message = std::string(words.substr(0, kMostText))};
}

std::optional<StaticFinding> python_finding(std::string_view line) {
  const auto json = nlohmann::json::parse(line, nullptr, false);
  try {
    return StaticFinding{.rule = json.at("rule").get<std::string>(),
                         .cwe = json.at("cwe").get<int>(),
                         .severity = json.at("severity").get<std::string>(),
                         .line = json.at("line").get<int>(),
                         .column = json.at("column").get<int>(),
                         .message = json.at("message").get<std::string>().substr(0, kMostText)};
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

template <typename Read>
std::vector<StaticFinding> by_line(std::string_view printed, Read read) {
  std::vector<StaticFinding> findings;
  while (!printed.empty()) {
    const std::size_t end = std::min(printed.find('\n'), printed.size());
    if (auto finding = read(printed.substr(0, end))) {
      findings.push_back(std::move(*finding));
    }
    printed.remove_prefix(std::min(end + 1, printed.size()));
  }
  const auto key = [](const StaticFinding& one) { return std::tie(one.line, one.column, one.rule, one.message); };
  std::ranges::sort(findings, {}, key);
  const auto same = std::ranges::unique(findings, {}, key);  // one weakness on several paths is said once
  findings.erase(same.begin(), same.end());
  findings.resize(std::min(findings.size(), kMostFindings));
  return findings;
}

bool is_read(std::string_view language) {
  return language == "python" || language == "c" || language == "cpp";
}

// The tool as a program whose input is the source.
Submission look_at(const SourceText& one) {
  const bool python = one.language == "python";
  Submission look;
  look.program_language = python ? "python" : "bash";
  look.source = python ? kPythonFindingsTool : clang_command(one.language);
  look.program_tests.push_back({one.source, ""});
  look.limits = {.cpu_s = 20, .wall_s = 60, .memory_mib = 1024, .output_bytes = kPrintedBytes};
  look.shown_output_bytes = kPrintedBytes;
  return look;
}

Result<std::vector<StaticFinding>> read_look(std::string_view language, const Evidence& seen) {
  constexpr int kNoSuchProgram = 127;
  if (seen.verdict == Verdict::kSE) {
    return Error{"static findings: " + seen.fault};
  }
  if (seen.exit_code == kNoSuchProgram) {
    return Error{"static findings: C and C++ need /usr/bin/clang++-16; install the package clang-16"};
  }
  // clang ends with 1 where the candidate does not compile; its findings until there stand.
  if (seen.exit_code != 0 && seen.exit_code != 1) {
    return Error{"static findings: the tool ended with " + std::string(to_string(seen.verdict)) +
                 (seen.errors.empty() ? "" : ": " + seen.errors.substr(0, kMostText))};
  }
  return language == "python" ? python_findings(seen.output) : clang_findings(seen.output);
}

}  // namespace

std::vector<StaticFinding> python_findings(std::string_view printed) {
  return by_line(printed, python_finding);
}

std::vector<StaticFinding> clang_findings(std::string_view printed, std::string_view file) {
  return by_line(printed, [file](std::string_view line) { return clang_finding(line, file); });
}

std::vector<Result<std::vector<StaticFinding>>> static_findings(Judge& judge, std::span<const SourceText> sources) {
  std::vector<Submission> looks;
  for (const SourceText& one : sources) {
    if (is_read(one.language)) {
      looks.push_back(look_at(one));
    }
  }
  const std::vector<Evidence> seen = judge.judge_all(looks);
  std::vector<Result<std::vector<StaticFinding>>> findings;
  auto next = seen.begin();
  for (const SourceText& one : sources) {
    findings.push_back(is_read(one.language) ? read_look(one.language, *next++) : std::vector<StaticFinding>());
  }
  return findings;
}

}  // namespace plumb
