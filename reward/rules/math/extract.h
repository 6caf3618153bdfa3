#pragma once
// Finding the answer that a response commits itself to.

#include <optional>
#include <string>
#include <string_view>

#include "reward/rules/math/verdict.h"

namespace plumb {

/// The content of the last complete \boxed{...} or \fbox{...} (braces nest; \boxed 5 needs none); boxes joined by
/// "and", "or" or a comma form a list. Without any box, what follows the last "final answer is", else the last
/// "answer:", else "####", else "answer is", else "final answer", to the end of its sentence or line. A box that never
/// closes earns nothing, also not through a marker. Closed <think> blocks are skipped; an unclosed one swallows what
/// follows it, and a </think> without an opening one swallows what is before it. Linear time; only the last 4 MiB are
/// read.
std::optional<std::string> extract_math_answer(std::string_view response, const MathOptions& options = {});

}  // namespace plumb
