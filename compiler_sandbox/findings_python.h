#pragma once
// The tool that reads Python for findings.cc.

#include <string>

namespace plumb {

/// A Python program: a source comes in over standard input and is parsed, never run; a JSON object {"rule", "cwe",
/// "severity", "line", "column", "message"} goes out for each finding. Names are followed through imports and their
/// aliases, and through variables that are bound once in their scope: a rule that guesses is worth less than one that
/// misses.
std::string python_findings_tool();

/// Its first part, which the second builds on: which names stand for secrets, and what names mean.
extern const char* const kPythonNames;

}  // namespace plumb
