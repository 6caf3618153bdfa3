#include "compiler_sandbox/findings.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <tuple>

#include "compiler_sandbox/clang_reader.h"
#include "compiler_sandbox/findings_python.h"

namespace plumb {
namespace {

constexpr std::size_t kMostFindings = 100;
constexpr std::size_t kMostText = 500;
constexpr int kNoWeakness = 0;

// A checker of clang's analyzer ("core.NullDereference"), a check of clang-tidy ("bugprone-use-after-move"), a rule of
// plumb (clang_reader/own_rules.h) or a warning ("-Wformat-security"), by how its name begins, and where one name
// stands for several weaknesses a word of its message. The first that fits counts.
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
    ClangRule{"core.UndefinedBinaryOperatorResult", "shift", 1335, "medium"},
    ClangRule{"core.UndefinedBinaryOperatorResult", "", 457, "medium"},
    ClangRule{"core.uninitialized", "", 457, "medium"},
    ClangRule{"unix.MallocSizeof", "", 131, "medium"},
    ClangRule{"unix.MismatchedDeallocator", "", 762, "medium"},
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
    ClangRule{"alpha.unix.cstring.OutOfBounds", "", 120, "high"},
    // What comes from standard input is untrusted to the analyzer: every program that reads its own length would be
    // one.
    ClangRule{"alpha.security.ArrayBoundV2", "tainted", kNoWeakness, ""},
    ClangRule{"alpha.security.taint.TaintPropagation", "buffer size", kNoWeakness, ""},
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
    ClangRule{"bugprone-dangling-handle", "", 416, "high"},
    ClangRule{"bugprone-infinite-loop", "", 835, "medium"},
    ClangRule{"bugprone-misplaced-operator-in-strlen-in-alloc", "", 131, "high"},
    ClangRule{"bugprone-not-null-terminated-result", "", 170, "medium"},
    ClangRule{"bugprone-sizeof-expression", "", 467, "medium"},
    ClangRule{"bugprone-use-after-move", "", 672, "medium"},
    ClangRule{"shell-command", "", 78, "high"},
    ClangRule{"hard-coded-secret", "", 798, "high"},
    ClangRule{"predictable-random", "", 338, "medium"},
    ClangRule{"check-then-use", "", 367, "medium"},
    ClangRule{"widened-product", "", 190, "low"},
    ClangRule{"forbidden-api", "", 676, "high"},
    ClangRule{"-Wformat-security", "", 134, "high"},
    ClangRule{"-Wformat-nonliteral", "", 134, "medium"},
    ClangRule{"-Wformat-overflow", "", 120, "high"},
    ClangRule{"-Wfortify-source", "", 120, "high"},
    ClangRule{"-Wdangling", "", 416, "high"},
    ClangRule{"-Warray-bounds", "", 121, "high"},
    ClangRule{"-Winteger-overflow", "", 190, "medium"},
    ClangRule{"-Wshift-count-overflow", "", 1335, "medium"},
    ClangRule{"-Wuninitialized", "", 457, "medium"},
    ClangRule{"-Wsometimes-uninitialized", "", 457, "medium"},
    ClangRule{"-Wdivision-by-zero", "", 369, "medium"},
    ClangRule{"-Wreturn-stack-address", "", 562, "high"},
    ClangRule{"-Wsizeof-pointer-memaccess", "", 131, "medium"},
};

std::optional<ClangRule> rule_of(std::string_view name, std::string_view message) {
  for (const ClangRule& rule : kClangRules) {
    if (name.starts_with(rule.name) && message.find(rule.word) != std::string_view::npos) {
      return rule;
    }
  }
  return std::nullopt;
}

std::optional<StaticFinding> clang_finding(const nlohmann::json& json) {
  try {
    const auto name = json.at("rule").get<std::string>();
    const auto words = json.at("message").get<std::string>();
    const auto rule = rule_of(name, words);
    if (!rule || rule->cwe == kNoWeakness) {
      return std::nullopt;
    }
    return StaticFinding{.rule = name,
                         .cwe = rule->cwe,
                         .severity = std::string(rule->severity),
                         .line = json.at("line").get<int>(),
                         .column = json.at("column").get<int>(),
                         .message = words.substr(0, kMostText)};
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
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

std::vector<StaticFinding> in_order(std::vector<StaticFinding> findings) {
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

Result<Submission> look_at(const Judge& judge, const SourceText& one) {
  return one.language == "python" ? Result<Submission>(python_look(python_findings_tool(), one.source))
                                  : clang_look(judge, one.language, one.source, {{"findings", true}});
}

}  // namespace

Result<std::vector<StaticFinding>> findings_of_look(std::string_view language, const Evidence& look) {
  if (broke_on_the_text(look)) {
    return std::vector<StaticFinding>{{.rule = "unreadable",
                                       .cwe = 1120,
                                       .severity = "high",
                                       .line = 1,
                                       .column = 1,
                                       .message = "the text could not be read (the reader ended with " +
                                                  std::string(to_string(look.verdict)) +
                                                  "), so it does not count as free of findings or forbidden names"}};
  }
  PLUMB_ASSIGN(const std::string printed, printed_by(look));
  return language == "python" ? python_findings(printed) : clang_findings(printed);
}

std::vector<StaticFinding> python_findings(std::string_view printed) {
  std::vector<StaticFinding> findings;
  while (!printed.empty()) {
    const std::size_t end = std::min(printed.find('\n'), printed.size());
    if (auto finding = python_finding(printed.substr(0, end))) {
      findings.push_back(std::move(*finding));
    }
    printed.remove_prefix(std::min(end + 1, printed.size()));
  }
  return in_order(std::move(findings));
}

std::vector<StaticFinding> clang_findings(std::string_view printed) {
  const auto json = nlohmann::json::parse(printed, nullptr, false);
  std::vector<StaticFinding> findings;
  if (json.is_object() && json.contains("findings")) {
    for (const nlohmann::json& one : json["findings"]) {
      if (auto finding = clang_finding(one)) {
        findings.push_back(std::move(*finding));
      }
    }
  }
  return in_order(std::move(findings));
}

std::vector<Result<std::vector<StaticFinding>>> static_findings(Judge& judge, std::span<const SourceText> sources) {
  std::vector<Result<std::vector<StaticFinding>>> findings(sources.size(), std::vector<StaticFinding>());
  std::vector<Submission> looks;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    if (!is_read(sources[i].language)) {
      continue;
    }
    if (auto look = look_at(judge, sources[i])) {
      looks.push_back(std::move(*look));
      places.push_back(i);
    } else {
      findings[i] = look.error().with_context("static findings");
    }
  }
  const std::vector<Evidence> seen = judge.judge_all(looks);
  for (std::size_t n = 0; n < places.size(); ++n) {
    auto found = findings_of_look(sources[places[n]].language, seen[n]);
    findings[places[n]] = found ? std::move(found) : found.error().with_context("static findings");
  }
  return findings;
}

}  // namespace plumb
