#pragma once
// Ground-truth check of mathematical answers: the entry points. They run FLINT, Arb and Calcium in the calling process,
// which abort when memory runs out; a trainer calls them through math/worker.h.

#include <string_view>

#include "reward/rules/math/verdict.h"

namespace plumb {

/// Compares `answer` with the ground truth `truth`, both bare LaTeX, plain text or a mixture. Deterministic: work is
/// counted, not timed. See docs/math.md for what is understood.
MathResult compare_math_answers(std::string_view truth, std::string_view answer, const MathOptions& options = {});

/// Extracts the answer from `response` and compares it. A response without an answer is kNotEqual.
MathResult verify_math(std::string_view truth, std::string_view response, const MathOptions& options = {});

}  // namespace plumb
