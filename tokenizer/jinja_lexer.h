#pragma once
// The tokens of a Jinja template, as transformers configures Jinja (trim_blocks and lstrip_blocks on).

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace plumb {

/// kText: template text outside tags. kOpen, kClose: "{%", "%}", "{{" or "}}" in `text`. kName: a name or number.
/// kString: a string literal, `text` its value. kSymbol: an operator or bracket.
struct JinjaToken {
  enum class Kind { kText, kOpen, kClose, kName, kString, kSymbol };
  Kind kind = Kind::kText;
  std::string text;

  bool operator==(const JinjaToken&) const = default;
};

/// White space control is applied, comments are dropped, empty texts are left out. Errors: an unterminated tag, comment
/// or string, an escape other than \n \t \r \\ \' \", a character that no expression contains. Linear time.
Result<std::vector<JinjaToken>> lex_jinja(std::string_view source);

}  // namespace plumb
