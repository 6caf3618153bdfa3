#pragma once
// What a program's text is made of: functions with their length, nesting and cyclomatic number; and of one that does
// not compile, how near it came: how far the parse went, and how many of its declarations are sound. Read inside the
// sandbox by tools that never run it: Python's ast, and clang_reader/main.cc.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "compiler_sandbox/findings.h"

namespace plumb {

struct FunctionStructure {
  std::string name;
  int line = 0;   // 1-based
  int lines = 0;  // from its first line to its last
  int parameters = 0;
  int cyclomatic = 1;  // decisions + 1: McCabe, "A complexity measure", 1976; each && and || is a decision
  int nesting = 0;     // of the deepest control statement; an else-if is no deeper than its if
};

struct CodeStructure {
  int lines = 0;                             // that are not blank
  std::vector<FunctionStructure> functions;  // with a body, in the order of the text; the first 200
  int first_error_line = 0;                  // 0: it parses (C and C++: and all names and types are right)
  double parsed = 1;                         // the share of lines before the first error
  int declarations = 0;                      // at the top level, of namespaces too; in Python top-level statements
  int sound_declarations = 0;                // of them, those without an error
};

/// The structure of each of `sources`. Errors, for each source apart: a language other than python, c and cpp; a tool
/// that is not installed or broke; a limit that it hit.
std::vector<Result<CodeStructure>> code_structure(Judge& judge, std::span<const SourceText> sources);

/// What the tools print. Errors: anything else.
Result<CodeStructure> read_structure(std::string_view printed);

}  // namespace plumb
