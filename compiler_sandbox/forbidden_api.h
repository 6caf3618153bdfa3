#pragma once
// Names that a task forbids (Submission::forbidden): where a program uses them. By what a name means, not by how the
// text looks: comments and texts do not count, aliases do.

#include <string>
#include <string_view>

#include "compiler_sandbox/judge.h"

namespace plumb {

/// Whether programs in `language` are read for forbidden names: "python", "c", "cpp".
bool reads_forbidden_names(std::string_view language);

/// Adds a finding "forbidden-api" (CWE-676, severity high, the name as message) for each use to evidence.findings, or
/// one of "unreadable" where the program is a text that the tool breaks on (findings_of_look()). After a fault of ours
/// the evidence becomes SE with the reason: that nothing was found is not known then.
void add_forbidden_uses(Judge& judge, const Submission& submission, Evidence& evidence);

}  // namespace plumb
