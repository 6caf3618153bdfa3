#include "compiler_sandbox/evidence_json.h"

#include <algorithm>
#include <string>

#include "core/escape.h"

namespace plumb {
namespace {

Result<Verdict> verdict_of(const std::string& name) {
  for (int i = 0; i <= static_cast<int>(Verdict::kSE); ++i) {
    if (to_string(static_cast<Verdict>(i)) == name) {
      return static_cast<Verdict>(i);
    }
  }
  return Error{"unknown verdict '" + name + "'"};
}

nlohmann::json diagnostics_to_json(const std::vector<Diagnostic>& diagnostics) {
  nlohmann::json array = nlohmann::json::array();
  for (const Diagnostic& diagnostic : diagnostics) {
    array.push_back({{"severity", diagnostic.severity},
                     {"message", json_safe(diagnostic.message)},
                     {"line", diagnostic.line},
                     {"column", diagnostic.column},
                     {"file", json_safe(diagnostic.file)},
                     {"flag", json_safe(diagnostic.flag)}});
  }
  return array;
}

nlohmann::json findings_to_json(const std::vector<StaticFinding>& findings) {
  nlohmann::json array = nlohmann::json::array();
  for (const StaticFinding& one : findings) {
    array.push_back({{"rule", json_safe(one.rule)},
                     {"cwe", one.cwe},
                     {"severity", one.severity},
                     {"line", one.line},
                     {"column", one.column},
                     {"message", json_safe(one.message)}});
  }
  return array;
}

Result<std::vector<StaticFinding>> findings_of(const nlohmann::json& array) {
  std::vector<StaticFinding> findings;
  for (const nlohmann::json& each : array) {
    PLUMB_ASSIGN(std::string rule, bytes_from_json(each.at("rule")));
    PLUMB_ASSIGN(std::string message, bytes_from_json(each.at("message")));
    findings.push_back({std::move(rule), each.at("cwe").get<int>(), each.at("severity").get<std::string>(),
                        each.at("line").get<int>(), each.at("column").get<int>(), std::move(message)});
  }
  return findings;
}

}  // namespace

nlohmann::json stored_json(const Evidence& evidence) {
  std::string tests;
  for (const Verdict verdict : evidence.tests) {
    tests += (tests.empty() ? "" : " ") + std::string(to_string(verdict));
  }
  return {{"verdict", to_string(evidence.verdict)},
          {"passed", evidence.passed},
          {"total", evidence.total},
          {"tests", tests},
          {"diagnostics", diagnostics_to_json(evidence.diagnostics)},
          {"findings", findings_to_json(evidence.findings)},
          {"output", json_safe(evidence.output)},
          {"errors", json_safe(evidence.errors)},
          {"exit_code", evidence.exit_code},
          {"signal", evidence.signal},
          {"cpu_s", evidence.cpu_s},
          {"wall_s", evidence.wall_s},
          {"peak_mib", evidence.peak_mib},
          {"isolation", evidence.isolation},
          {"tool_versions", evidence.tool_versions}};
}

Result<Evidence> evidence_from_stored_json(const nlohmann::json& json) {
  try {
    Evidence evidence;
    PLUMB_ASSIGN(evidence.verdict, verdict_of(json.at("verdict").get<std::string>()));
    evidence.passed = json.at("passed").get<int>();
    evidence.total = json.at("total").get<int>();
    const auto tests = json.at("tests").get<std::string>();
    for (std::size_t begin = 0; begin < tests.size();) {
      const std::size_t end = std::min(tests.find(' ', begin), tests.size());
      PLUMB_ASSIGN(const Verdict verdict, verdict_of(tests.substr(begin, end - begin)));
      evidence.tests.push_back(verdict);
      begin = end + 1;
    }
    for (const nlohmann::json& each : json.at("diagnostics")) {
      PLUMB_ASSIGN(std::string message, bytes_from_json(each.at("message")));
      PLUMB_ASSIGN(std::string file, bytes_from_json(each.value("file", nlohmann::json(""))));
      PLUMB_ASSIGN(std::string flag, bytes_from_json(each.value("flag", nlohmann::json(""))));
      evidence.diagnostics.push_back({each.at("severity").get<std::string>(), std::move(message),
                                      each.at("line").get<int>(), each.at("column").get<int>(), std::move(file),
                                      std::move(flag)});
    }
    PLUMB_ASSIGN(evidence.findings, findings_of(json.value("findings", nlohmann::json::array())));
    PLUMB_ASSIGN(evidence.output, bytes_from_json(json.at("output")));
    PLUMB_ASSIGN(evidence.errors, bytes_from_json(json.value("errors", nlohmann::json(""))));
    evidence.exit_code = json.value("exit_code", -1);
    evidence.signal = json.value("signal", 0);
    evidence.cpu_s = json.at("cpu_s").get<double>();
    evidence.wall_s = json.at("wall_s").get<double>();
    evidence.peak_mib = json.at("peak_mib").get<double>();
    evidence.isolation = json.at("isolation").get<std::string>();
    evidence.tool_versions = json.value("tool_versions", "");
    return evidence;
  } catch (const nlohmann::json::exception& error) {
    return Error{std::string("evidence: ") + error.what()};
  }
}

}  // namespace plumb
