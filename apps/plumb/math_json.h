#pragma once
// Maths questions and verdicts as JSON, for `plumb verify-math` and the reward server (docs/math.md).

#include <nlohmann/json.hpp>

#include "core/result.h"
#include "reward/rules/math_worker.h"

namespace plumb {

struct MathQuestion {
  MathItem item;
  MathOptions options;
};

/// {"gold", "pred" | "pred_parts" | "pred_b64", "bare"?, "options"?} as a question. Errors name the key.
Result<MathQuestion> math_question_from_json(const nlohmann::json& row);

/// {"verdict","equal","reason","extracted","work"}, and "fault" where there is one.
nlohmann::json math_result_to_json(const MathResult& result, const MathOptions& options);

}  // namespace plumb
