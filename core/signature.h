#pragma once
// How a task's function looks in each language: the one place that turns task types into source text. Prompts show it
// (datasets) and harnesses call through it (compiler_sandbox), so both use the same words.

#include <string>
#include <string_view>

#include "core/records.h"

namespace plumb {

/// Whether `type` is one that both languages have: a type of core/task_type.h without any, auto and unknowns; none
/// stands alone.
bool is_task_type(std::string_view type);

/// The C++ type of a task type: int, double, bool, std::string, std::vector<...>, std::tuple<...>, std::map<...>,
/// std::set<...>, std::optional<...>; bytes are a std::vector<unsigned char>, none is void. `type` must be a task type.
std::string cpp_type(std::string_view type);

/// The function's first line: C++ `int f(const std::vector<int>& xs)`, Python `def f(xs: list[int]) -> int:`. Scalars
/// go by value, texts and lists by reference to const. `language` is kCpp or kPython; the types must be task types.
std::string signature_text(const FunctionSignature& function, Language language);

}  // namespace plumb
