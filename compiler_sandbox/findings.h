#pragma once
// Static findings: weaknesses that a program's text shows, with their CWE numbers. The text is read inside the sandbox
// by tools that never run it (Python's ast; clang's static analyzer and warnings); what they print is untrusted, too.

#include <string>
#include <string_view>
#include <vector>

#include "compiler_sandbox/judge.h"
#include "core/records.h"

namespace plumb {

/// The findings in `source`, by line and rule. `language`: "python", "c" or "cpp"; nothing for others, and for a source
/// that does not parse. Deterministic but for the tools' versions. Errors: a tool that is not installed or broke, a
/// limit that the tool hit.
Result<std::vector<StaticFinding>> static_findings(Judge& judge, std::string_view language, const std::string& source);

/// One JSON object a line as the Python tool prints it; lines that are none are left out.
std::vector<StaticFinding> python_findings(std::string_view printed);

/// clang's text; warnings that no rule here knows are left out. `file` is the name that it gives the candidate.
std::vector<StaticFinding> clang_findings(std::string_view printed, std::string_view file = "candidate");

}  // namespace plumb
