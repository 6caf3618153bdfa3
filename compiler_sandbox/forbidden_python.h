#pragma once
// The tool that looks for forbidden names in Python.

namespace plumb {

/// A Python program; a list NAMES is put before it. A source comes in over standard input and is parsed, never run; a
/// JSON object as of python_findings_tool() goes out for each use of a name.
extern const char* const kPythonForbiddenTool;

}  // namespace plumb
