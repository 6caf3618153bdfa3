#include "compiler_sandbox/forbidden_api.h"

#include "compiler_sandbox/clang_reader.h"
#include "compiler_sandbox/findings.h"
#include "compiler_sandbox/forbidden_python.h"

namespace plumb {
namespace {

std::string language_of(const Submission& submission) {
  return submission.program_language.empty() ? std::string(to_string(submission.language))
                                             : submission.program_language;
}

Result<std::vector<StaticFinding>> forbidden_uses(Judge& judge, const Submission& submission) {
  const std::string language = language_of(submission);
  if (!reads_forbidden_names(language)) {
    return Error{"they are looked for in python, c and cpp, not in " + language};
  }
  if (language == "python") {
    const Submission look = python_look(python_forbidden_tool(submission.forbidden), submission.source);
    return findings_of_look(language, judge.judge(look));
  }
  PLUMB_ASSIGN(const Submission look,
               clang_look(judge, language, submission.source, {{"forbidden", submission.forbidden}}));
  return findings_of_look(language, judge.judge(look));
}

}  // namespace

bool reads_forbidden_names(std::string_view language) {
  return language == "python" || language == "c" || language == "cpp";
}

void add_forbidden_uses(Judge& judge, const Submission& submission, Evidence& evidence) {
  auto uses = forbidden_uses(judge, submission);
  if (!uses) {
    evidence.verdict = Verdict::kSE;
    evidence.fault = "forbidden names: " + uses.error().message;
    return;
  }
  for (StaticFinding& one : *uses) {
    evidence.findings.push_back(std::move(one));
  }
}

}  // namespace plumb
