#include "apps/plumb/judge_json.h"

#include <algorithm>

#include "compiler_sandbox/forbidden_api.h"
#include "core/escape.h"
#include "core/task_type.h"
#include "core/typed_value.h"
#include "core/value_types.h"

namespace plumb {
namespace {

using Json = nlohmann::json;

// The smallest type of all values; where they have none in common (or C++ has none for it), what any value fits.
template <typename ValueOf>
std::string guessed_type(const Submission& submission, std::size_t count, ValueOf value_of, bool is_result) {
  const bool cpp = submission.language == Language::kCpp;
  std::string type = kUnknownType;
  for (std::size_t i = 0; i < count; ++i) {
    const Json* value = value_of(i);
    const bool unfit = type.empty() || value == nullptr || (cpp && has_wide_integer(*value));
    type = unfit ? "" : common_type(type, type_of_value(*value));
  }
  type = completed_type(type);
  return type.empty() || (cpp && !is_result && type == "none") ? (cpp ? "auto" : "any") : type;
}

FunctionSignature guessed_signature(const std::string& name, const Submission& submission) {
  FunctionSignature function{name, {}, ""};
  const std::size_t count = submission.args.empty() ? 0 : submission.args[0].size();
  for (std::size_t i = 0; i < count; ++i) {
    const auto argument = [&](std::size_t call) {
      return i < submission.args[call].size() ? &submission.args[call][i] : nullptr;
    };
    function.parameters.push_back(
        {"a" + std::to_string(i), guessed_type(submission, submission.args.size(), argument, false)});
  }
  const auto result = [&](std::size_t call) { return &submission.expected[call]; };
  function.returns = guessed_type(submission, submission.expected.size(), result, true);
  const bool none = std::any_of(function.parameters.begin(), function.parameters.end(),
                                [](const Parameter& parameter) { return parameter.type == "auto"; });
  if (none) {
    function.returns = "auto";
  }
  return function;
}

FunctionSignature given_signature(const std::string& name, const Json& signature) {
  FunctionSignature function{name, {}, signature.at("returns").get<std::string>()};
  for (const Json& parameter : signature.at("parameters")) {
    function.parameters.push_back({parameter.value("name", "a"), parameter.at("type").get<std::string>()});
  }
  return function;
}

// Errors: an unknown key, so that a limit that was misspelt is not silently another one.
Result<void> read_limits(const Json& row, Limits& limits) {
  for (const auto& [key, value] : row.items()) {
    if (key == "cpu_s") {
      limits.cpu_s = value.get<double>();
    } else if (key == "wall_s") {
      limits.wall_s = value.get<double>();
    } else if (key == "memory_mib") {
      limits.memory_mib = value.get<int>();
    } else if (key == "output_bytes") {
      limits.output_bytes = value.get<int>();
    } else if (key == "processes") {
      limits.processes = value.get<int>();
    } else if (key == "file_mib") {
      limits.file_mib = value.get<int>();
    } else if (key == "compile_cpu_s") {
      limits.compile_cpu_s = value.get<double>();
    } else if (key == "compile_wall_s") {
      limits.compile_wall_s = value.get<double>();
    } else if (key == "compile_memory_mib") {
      limits.compile_memory_mib = value.get<int>();
    } else {
      return Error{"there is no limit \"" + key + "\""};
    }
    if (value.get<double>() <= 0) {
      return Error{"the limit \"" + key + "\" must be above 0"};
    }
  }
  if (row.contains("cpu_s") && !row.contains("wall_s")) {
    limits.wall_s = kWallOfCpu * limits.cpu_s;
  }
  return {};
}

void read_checker(const Json& row, Checker& checker) {
  if (row.is_string()) {
    checker.kind = row.get<std::string>();
    return;
  }
  checker.kind = row.at("kind").get<std::string>();
  checker.absolute = row.value("absolute", checker.absolute);
  checker.relative = row.value("relative", checker.relative);
  checker.language = row.value("language", "");
  checker.source = row.value("source", "");
}

Result<Submission> with_suite(const Json& row, const std::string& language, Submission submission) {
  if (language != "python") {
    return Error{"test code is judged in python, not in \"" + language + "\""};
  }
  submission.language = Language::kPython;
  PLUMB_ASSIGN(submission.suite.code, bytes_from_json(row.at("test_code")));
  PLUMB_ASSIGN(submission.suite.helpers, bytes_from_json(row.value("helpers", Json(""))));
  submission.suite.functions = row.value("functions", std::vector<std::string>());
  if (submission.suite.code.find_first_not_of(" \t\r\n") == std::string::npos) {
    return Error{"\"test_code\" is empty"};
  }
  return submission;
}

// Errors: names for a language that is not read for them, an empty name.
Result<void> read_forbidden(const Json& row, const std::string& language, Submission& submission) {
  submission.forbidden = row.value("forbidden", std::vector<std::string>());
  if (!submission.forbidden.empty() && !reads_forbidden_names(language)) {
    return Error{"\"forbidden\" names are looked for in python, c and cpp, not in \"" + language + "\""};
  }
  if (std::ranges::find(submission.forbidden, "") != submission.forbidden.end()) {
    return Error{"expected \"forbidden\" to be names such as \"os.system\", found an empty one"};
  }
  return {};
}

Result<Submission> read_submission(const Json& row) {
  Submission submission;
  const std::string language = row.at("language").get<std::string>();
  PLUMB_ASSIGN(submission.source, bytes_from_json(row.at("source")));
  submission.stop_at_first_failure = row.value("stop_at_first_failure", true);
  PLUMB_TRY(read_limits(row.value("limits", Json::object()), submission.limits));
  PLUMB_TRY(read_forbidden(row, language, submission));
  const std::string entry = row.value("entry", "stdio");
  if (entry == "stdio") {
    submission.program_language = language;
    for (const Json& test : row.at("tests")) {
      ProgramTest one;
      PLUMB_ASSIGN(one.input, bytes_from_json(test.at("input")));
      PLUMB_ASSIGN(one.output, bytes_from_json(test.at("output")));
      submission.program_tests.push_back(std::move(one));
    }
    if (row.contains("checker")) {
      read_checker(row["checker"], submission.checker);
      PLUMB_TRY(validate(submission.checker));
    }
    return submission;
  }
  if (entry == "assert") {
    return with_suite(row, language, std::move(submission));
  }
  constexpr std::string_view kFunction = "function:";
  if (!entry.starts_with(kFunction)) {
    return Error{"expected \"entry\" to be \"stdio\", \"assert\" or \"function:NAME\", found \"" + entry + "\""};
  }
  if (language != "cpp" && language != "python") {
    return Error{"functions are judged in cpp and python, not in \"" + language + "\""};
  }
  submission.language = language == "cpp" ? Language::kCpp : Language::kPython;
  for (const Json& test : row.at("tests")) {
    submission.args.push_back(test.at("args"));
    submission.expected.push_back(test.at("result"));
    if (!submission.args.back().is_array()) {
      return Error{"expected \"args\" to be a list of arguments"};
    }
  }
  const std::string name = entry.substr(kFunction.size());
  if (row.contains("signature")) {
    submission.function = given_signature(name, row["signature"]);
    return submission;
  }
  submission.function = guessed_signature(name, submission);
  submission.guessed_types = true;
  return submission;
}

}  // namespace

Result<Submission> submission_from_json(const nlohmann::json& row) {
  try {
    return read_submission(row);
  } catch (const nlohmann::json::exception& error) {
    return Error{std::string("expected a submission (docs/sandbox.md), found: ") + error.what()};
  }
}

nlohmann::json evidence_to_json(const Evidence& evidence) {
  Json tests = Json::array();
  for (const Verdict verdict : evidence.tests) {
    tests.push_back(to_string(verdict));
  }
  Json diagnostics = Json::array();
  for (const Diagnostic& one : evidence.diagnostics) {
    diagnostics.push_back(
        {{"severity", one.severity}, {"line", one.line}, {"column", one.column}, {"message", json_safe(one.message)}});
    if (!one.file.empty()) {
      diagnostics.back()["file"] = json_safe(one.file);
    }
    if (!one.flag.empty()) {
      diagnostics.back()["flag"] = json_safe(one.flag);
    }
  }
  Json findings = Json::array();
  for (const StaticFinding& one : evidence.findings) {
    findings.push_back({{"rule", one.rule},
                        {"cwe", "CWE-" + std::to_string(one.cwe)},
                        {"severity", one.severity},
                        {"line", one.line},
                        {"column", one.column},
                        {"message", json_safe(one.message)}});
  }
  Json row{{"verdict", to_string(evidence.verdict)},
           {"passed", evidence.passed},
           {"total", evidence.total},
           {"tests", std::move(tests)},
           {"diagnostics", std::move(diagnostics)},
           {"findings", std::move(findings)},
           {"output", json_safe(evidence.output)},
           {"cpu_s", evidence.cpu_s},
           {"wall_s", evidence.wall_s},
           {"peak_mib", evidence.peak_mib},
           {"isolation", evidence.isolation},
           {"tool_versions", evidence.tool_versions},
           {"cached", evidence.cached}};
  if (evidence.exit_code >= 0 || evidence.signal != 0) {  // a whole program's shown run, or how a function died
    row["errors"] = json_safe(evidence.errors);
    row["exit_code"] = evidence.exit_code;
    row["signal"] = evidence.signal;
  }
  if (!evidence.fault.empty()) {
    row["fault"] = json_safe(evidence.fault);
  }
  return row;
}

nlohmann::json structure_to_json(const CodeStructure& structure) {
  Json functions = Json::array();
  for (const FunctionStructure& one : structure.functions) {
    functions.push_back({{"name", json_safe(one.name)},
                         {"line", one.line},
                         {"lines", one.lines},
                         {"parameters", one.parameters},
                         {"cyclomatic", one.cyclomatic},
                         {"nesting", one.nesting}});
  }
  return {{"lines", structure.lines},
          {"functions", std::move(functions)},
          {"first_error_line", structure.first_error_line},
          {"parsed", structure.parsed},
          {"declarations", structure.declarations},
          {"sound_declarations", structure.sound_declarations}};
}

}  // namespace plumb
