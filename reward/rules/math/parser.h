#pragma once
// From cleaned LaTeX, plain text or a mixture to a typed tree. An operator-precedence parser with explicit stacks:
// depth costs memory, never the call stack. Linear time.

#include <string>
#include <string_view>

#include "reward/rules/math/expr.h"

namespace plumb::math {

struct ParseOptions {
  bool thousands = true;  // 1,234 is a number; otherwise the comma separates
};

struct Parsed {
  int root = -1;  // in the arena; -1 where `error` says why not
  std::string error;
  bool malformed = false;  // the error is one of syntax: the text means nothing, rather than something unknown
  bool thousands = false;  // a comma was read as a thousands separator
};

/// Appends the tree of `text` (from clean_answer) to `arena`.
Parsed parse_answer(std::string_view text, const ParseOptions& options, Expr& arena);

}  // namespace plumb::math
