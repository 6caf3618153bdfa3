#pragma once
// Which part of a response is judged as code: the first closed fenced block (the rule is core/fence.h's), whatever
// stands around it. Sampling stops at the end of that block, so nothing that could count comes later.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace plumb {

/// A closed fenced block of a response.
struct CodeBlock {
  std::string language;   // first word of the info string as written ("cpp", "python"); empty where there is none
  std::string source;     // the lines between the fences, last newline included
  std::size_t begin = 0;  // byte range of the whole block in the response, both fences included
  std::size_t end = 0;
};

/// The first closed fenced code block; nothing where no fence opens or the opened one never closes. Linear time; the
/// bytes need not be UTF-8. The language is a label only: a program is judged in the language its prompt asked for.
std::optional<CodeBlock> first_code_block(std::string_view response);

}  // namespace plumb
