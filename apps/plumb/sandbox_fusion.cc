#include "apps/plumb/sandbox_fusion.h"

#include <fmt/format.h>

#include <cmath>
#include <map>

#include "core/escape.h"
#include "reward/rules/code_block.h"

namespace plumb {
namespace {

using Json = nlohmann::json;

constexpr int kOutputBytes = 1 << 20;  // SandboxFusion reads as much

// Its names of languages where they differ from those of the language files.
std::string our_language(const std::string& name) {
  static const std::map<std::string, std::string> kNames = {
      {"nodejs", "javascript"}, {"js", "javascript"}, {"python3", "python"}, {"py", "python"}, {"c++", "cpp"}};
  const auto found = kNames.find(name);
  return found == kNames.end() ? name : found->second;
}

// Whether it reports building such a program apart from running it.
bool is_compiled(const std::string& language) {
  return language != "python" && language != "javascript" && language != "bash";
}

Result<double> seconds(const Json& request, const char* key) {
  constexpr double kDefault = 10;
  constexpr double kMost = 120;
  const Json value = request.value(key, Json(kDefault));
  if (!value.is_number() || !(value.get<double>() > 0 && value.get<double>() <= kMost)) {
    return Error{fmt::format("{}: expected seconds above 0, at most {}", key, kMost)};
  }
  return value.get<double>();
}

Result<Limits> limits_of(const Json& request) {
  constexpr int kDefaultMib = 1024;
  constexpr int kMostMib = 8192;
  Limits limits;
  PLUMB_ASSIGN(limits.cpu_s, seconds(request, "run_timeout"));
  PLUMB_ASSIGN(limits.compile_cpu_s, seconds(request, "compile_timeout"));
  limits.wall_s = limits.cpu_s;
  limits.compile_wall_s = 3 * limits.compile_cpu_s;
  limits.output_bytes = kOutputBytes;
  const Json memory = request.value("memory_limit_MB", Json(-1));
  if (!memory.is_number_integer() || memory.get<std::int64_t>() > kMostMib) {
    return Error{fmt::format("memory_limit_MB: expected a whole number, at most {}", kMostMib)};
  }
  limits.memory_mib = memory.get<std::int64_t>() > 0 ? memory.get<int>() : kDefaultMib;
  return limits;
}

Result<std::string> text(const Json& object, const char* key, const char* otherwise = nullptr) {
  const Json value = object.value(key, Json());
  if (value.is_null() && otherwise != nullptr) {
    return std::string(otherwise);
  }
  if (!value.is_string()) {
    return Error{fmt::format("{}: expected a text", key)};
  }
  return value.get<std::string>();
}

// Of one severity where it is not empty.
std::string words_of(const std::vector<Diagnostic>& diagnostics, std::string_view severity = "") {
  std::string words;
  for (const Diagnostic& one : diagnostics) {
    if (!severity.empty() && one.severity != severity) {
      continue;
    }
    const std::string place = one.line > 0 ? fmt::format("line {}:{}: ", one.line, one.column) : "";
    words += fmt::format("{}{}: {}\n", place, one.severity, to_utf8(one.message));
  }
  return words;
}

Json command_result(const char* status, double seconds, const Json& return_code, const std::string& output,
                    const std::string& errors) {
  return {{"status", status},
          {"execution_time", seconds},
          {"return_code", return_code},
          {"stdout", to_utf8(output)},
          {"stderr", to_utf8(errors)}};
}

// As a shell or Python's subprocess tells it: a signal is a negative number.
int return_code(const Evidence& evidence) {
  if (evidence.signal != 0) {
    return -evidence.signal;
  }
  constexpr int kKilled = -9;
  return evidence.exit_code >= 0 ? evidence.exit_code : kKilled;
}

Json run_result(const Evidence& evidence) {
  const bool late = evidence.verdict == Verdict::kTLE;
  std::string errors = evidence.errors;
  if (evidence.verdict == Verdict::kMLE || evidence.verdict == Verdict::kOLE) {
    errors += "\n" + words_of(evidence.diagnostics, "error");
  }
  return command_result(late ? "TimeLimitExceeded" : "Finished", evidence.wall_s,
                        late ? Json() : Json(return_code(evidence)), evidence.output, errors);
}

Json response(const char* status, const std::string& message) {
  return {{"status", status},      {"message", to_utf8(message)},  {"compile_result", nullptr},
          {"run_result", nullptr}, {"executor_pod_name", nullptr}, {"files", Json::object()}};
}

Result<void> read_tests(const Json& data, Submission& submission) {
  const Json tests = data.is_object() ? data.value("test", Json()) : Json();
  if (!tests.is_array() || tests.empty()) {
    return Error{"config.provided_data.test: expected a list of tests; data sets by name are not kept here"};
  }
  for (const Json& test : tests) {
    if (!test.is_object()) {
      return Error{"config.provided_data.test: expected objects"};
    }
    ProgramTest one;
    PLUMB_ASSIGN(one.input, text(test.value("input", Json::object()), "stdin", ""));
    PLUMB_ASSIGN(one.output, text(test.value("output", Json::object()), "stdout"));
    submission.program_tests.push_back(std::move(one));
  }
  return {};
}

Result<Submission> read_run_code(const Json& request) {
  Submission submission;
  PLUMB_ASSIGN(submission.source, text(request, "code"));
  PLUMB_ASSIGN(const std::string language, text(request, "language"));
  submission.program_language = our_language(language);
  PLUMB_ASSIGN(submission.limits, limits_of(request));
  ProgramTest run;
  PLUMB_ASSIGN(run.input, text(request, "stdin", ""));
  submission.program_tests.push_back(std::move(run));
  submission.shown_output_bytes = kOutputBytes;
  for (const char* key : {"files", "fetch_files", "args"}) {
    if (request.contains(key) && !request[key].empty()) {
      return Error{fmt::format("{}: is not supported here; expected none", key)};
    }
  }
  return submission;
}

Result<FusionSubmit> read_submit(const Json& request) {
  FusionSubmit submit;
  submit.id = request.value("id", Json());
  PLUMB_ASSIGN(const std::string completion, text(request, "completion"));
  const Json config = request.value("config", Json::object());
  if (!config.is_object()) {
    return Error{"config: expected an object"};
  }
  PLUMB_ASSIGN(submit.submission.limits, limits_of(config));
  PLUMB_TRY(read_tests(config.value("provided_data", Json()), submit.submission));
  submit.submission.stop_at_first_failure = false;
  const auto block = first_code_block(completion);
  PLUMB_ASSIGN(submit.language, text(config, "language", block ? block->language.c_str() : ""));
  submit.submission.program_language = our_language(submit.language);
  submit.submission.source = block ? block->source : "";
  return submit;
}

// A value of another type than the readers above expect.
template <typename Read>
auto guarded(const Json& request, Read read) -> decltype(read(request)) {
  if (!request.is_object()) {
    return Error{"expected an object"};
  }
  try {
    return read(request);
  } catch (const Json::exception& error) {
    return Error{std::string("a value of another type than expected: ") + error.what()};
  }
}

}  // namespace

Result<Submission> run_code_from_json(const nlohmann::json& request) {
  return guarded(request, read_run_code);
}

nlohmann::json sandbox_error(const std::string& sentence) {
  return response("SandboxError", sentence);
}

nlohmann::json run_code_to_json(const Submission& submission, const Evidence& evidence) {
  if (evidence.verdict == Verdict::kSE) {
    return sandbox_error(evidence.fault);
  }
  const bool compiled = is_compiled(submission.program_language);
  if (evidence.verdict == Verdict::kCE) {
    Json json = response("Failed", "");
    json[compiled ? "compile_result" : "run_result"] =
        command_result("Finished", evidence.wall_s, 1, "", words_of(evidence.diagnostics));
    return json;
  }
  const bool succeeded = evidence.verdict != Verdict::kTLE && return_code(evidence) == 0;
  Json json = response(succeeded ? "Success" : "Failed", "");
  if (compiled) {
    json["compile_result"] = command_result("Finished", 0, 0, "", "");
  }
  json["run_result"] = run_result(evidence);
  return json;
}

Result<FusionSubmit> submit_from_json(const nlohmann::json& request) {
  return guarded(request, read_submit);
}

nlohmann::json submit_to_json(const FusionSubmit& submit, const Evidence& evidence) {
  Json tests = Json::array();
  for (const Verdict verdict : evidence.tests) {
    const bool passed = verdict == Verdict::kAC;
    tests.push_back({{"passed", passed},
                     {"exec_info", response(passed ? "Success" : "Failed", std::string(to_string(verdict)))},
                     {"test_info", nullptr}});
  }
  if (evidence.tests.empty() && !submit.submission.source.empty()) {  // not built, or a fault of ours
    tests.push_back(
        {{"passed", false}, {"exec_info", run_code_to_json(submit.submission, evidence)}, {"test_info", nullptr}});
  }
  return {{"id", submit.id},
          {"accepted", evidence.verdict == Verdict::kAC},
          {"extracted_code", to_utf8(submit.submission.source)},
          {"full_code", nullptr},
          {"test_code", nullptr},
          {"tests", std::move(tests)},
          {"extracted_type", submit.submission.source.empty() ? Json("Empty") : Json("fenced")},
          {"extra", {{"verdict", to_string(evidence.verdict)}, {"language", submit.language}}}};
}

}  // namespace plumb
