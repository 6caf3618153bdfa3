#pragma once
// The tool that reads Python for findings.cc.

namespace plumb {

/// A Python program: a source comes in over standard input and is parsed, never run; a JSON object {"rule", "cwe",
/// "severity", "line", "column", "message"} goes out for each finding.
extern const char* const kPythonFindingsTool;

}  // namespace plumb
