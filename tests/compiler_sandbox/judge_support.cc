#include "judge_support.h"

#include <nlohmann/json.hpp>

namespace plumb::test {

JudgeOptions judge_options() {
  JudgeOptions options;
  options.slots = 2;
  options.launcher = std::string(PLUMB_BINARY_DIR) + "/plumb-sandbox";
  options.cache_dir = std::string(PLUMB_BINARY_DIR) + "/tests/compiler_sandbox/cache";
  return options;
}

Judge* shared_judge(std::string& why) {
  static const auto started = start_judge(judge_options());
  if (started) {
    return started.value().get();
  }
  why = started.error().message;
  // Only missing layers are a reason to skip: any other error has to fail the test that meets it.
  PLUMB_CHECK(!probe_isolation(judge_options().launcher).refusal({}).empty(), why);
  return nullptr;
}

Submission make_submission(Language language, const std::string& source, const FunctionSignature& function,
                           const std::string& calls) {
  Submission submission;
  submission.language = language;
  submission.source = source;
  submission.function = function;
  for (const nlohmann::json& call : nlohmann::json::parse(calls)) {
    submission.args.push_back(call.at(0));
    submission.expected.push_back(call.at(1));
  }
  return submission;
}

Submission add_submission(Language language, const std::string& source) {
  return make_submission(language, source, {"add", {{"a", "int"}, {"b", "int"}}, "int"},
                         "[[[2, 3], 5], [[0, 0], 0], [[-7, 4], -3], [[100, 23], 123]]");
}

std::string describe(const Evidence& evidence) {
  std::string text = std::string(to_string(evidence.verdict)) + " " + std::to_string(evidence.passed) + "/" +
                     std::to_string(evidence.total) + ", cpu " + std::to_string(evidence.cpu_s) + " s, wall " +
                     std::to_string(evidence.wall_s) + " s, peak " + std::to_string(evidence.peak_mib) + " MiB";
  text += evidence.fault.empty() ? "" : ", fault: " + evidence.fault;
  for (const Diagnostic& diagnostic : evidence.diagnostics) {
    text += "\n  " + diagnostic.severity + " " + std::to_string(diagnostic.line) + ": " + diagnostic.message;
  }
  return text + (evidence.output.empty() ? "" : "\n  output: " + evidence.output);
}

}  // namespace plumb::test
