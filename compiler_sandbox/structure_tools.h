#pragma once
// The tools that read code for structure.cc.

namespace plumb {

/// Python programs: a source comes in over standard input and is parsed, never run; one JSON object of the fields of
/// CodeStructure goes out. The second ends with 127 where python3-clang-16 is not installed; its LANGUAGE and DIALECT
/// are filled in by structure.cc.
extern const char* const kPythonStructureTool;
extern const char* const kClangStructureTool;

}  // namespace plumb
