#pragma once
// The tool that looks for forbidden names in Python.

#include <string>
#include <vector>

namespace plumb {

/// A Python program: a source comes in over standard input and is parsed, never run; a JSON object as of
/// python_findings_tool() goes out for each use of one of `names`: the first use of each, and the first 100. One of the
/// rule "unreadable" where the text cannot be read.
std::string python_forbidden_tool(const std::vector<std::string>& names);

/// Its first part: which full names are the same thing; the nodes of a program, and the scope of each.
extern const char* const kPythonScopes;

}  // namespace plumb
