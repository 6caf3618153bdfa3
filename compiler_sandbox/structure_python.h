#pragma once
// The tool that reads Python for structure.cc.

namespace plumb {

/// A Python program: a source comes in over standard input and is parsed, never run; one JSON object of the fields of
/// CodeStructure goes out.
extern const char* const kPythonStructureTool;

}  // namespace plumb
