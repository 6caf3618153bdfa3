#pragma once
// The tokens of a Jinja template, as transformers configures Jinja (trim_blocks and lstrip_blocks on).

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace plumb {

/// kText: template text outside tags. kOpen, kClose: "{%", "%}", "{{" or "}}" in `text`. kName: a name. kNumber: digits
/// as they stand. kString: a string literal, `text` its value. kSymbol: an operator or bracket. kEnd: behind the last.
struct JinjaToken {
  enum class Kind { kText, kOpen, kClose, kName, kNumber, kString, kSymbol, kEnd };
  Kind kind = Kind::kText;
  std::string text;
  int line = 1;
};

/// White space control is applied, comments are dropped, raw blocks are text, empty texts are left out. Errors: an
/// unterminated tag, comment, raw block or string, brackets that do not match, a character that no expression contains.
/// Linear time.
Result<std::vector<JinjaToken>> lex_jinja(std::string_view source);

}  // namespace plumb
