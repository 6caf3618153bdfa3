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
/// Deterministic but for the tools' versions. Errors, for each source apart: as of findings_of_look().
std::vector<Result<std::vector<StaticFinding>>> static_findings(Judge& judge, std::span<const SourceText> sources);

/// The findings that a look at a text in `language` printed (clang_look(), python_look()). Where the text made the tool
/// crash or hit a limit, which a candidate can bring about, one finding of the rule "unreadable" (CWE-1120, severity
/// high): such a text does not count as free of anything. Errors: a fault of ours, a tool that is missing.
Result<std::vector<StaticFinding>> findings_of_look(std::string_view language, const Evidence& look);

/// One JSON object a line as the Python tool prints it; lines that are none are left out.
std::vector<StaticFinding> python_findings(std::string_view printed);

/// The JSON that plumb-clang-reader prints; what no rule here knows is left out.
std::vector<StaticFinding> clang_findings(std::string_view printed);

}  // namespace plumb
