#pragma once
// Static findings: weaknesses that a program's text shows, with their CWE numbers. The text is read inside the sandbox
// by tools that never run it (Python's ast; clang_reader/main.cc); what they print is untrusted, too.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "compiler_sandbox/judge.h"
#include "core/records.h"

namespace plumb {

struct SourceText {
  std::string language;  // "python", "c" or "cpp"; others have no findings
  std::string source;
};

/// The findings in each of `sources`, by line and rule; none in one that does not parse. Over all slots of the judge.
/// Deterministic but for the tools' versions. Errors, for each source apart: a tool that is not installed or broke, a
/// limit that the tool hit.
std::vector<Result<std::vector<StaticFinding>>> static_findings(Judge& judge, std::span<const SourceText> sources);

/// One JSON object a line as the Python tool prints it; lines that are none are left out.
std::vector<StaticFinding> python_findings(std::string_view printed);

/// The JSON that plumb-clang-reader prints; what no rule here knows is left out.
std::vector<StaticFinding> clang_findings(std::string_view printed);

}  // namespace plumb
