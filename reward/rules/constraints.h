#pragma once
// Instructions that a program can check ("at least 100 words", "no commas", "answer as JSON"), by the ids and arguments
// of IFEval (Zhou et al. 2023).

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "core/result.h"

namespace plumb {

struct ConstraintReport {
  int kept = 0;
  int total = 0;
  std::string broken;  // ids of those that were not kept, comma-separated
};

/// Checks `response` against a list of {"instruction_id", "kwargs"?}; the id as in IFEval, e.g.
/// "length_constraints:number_words" with {"num_words": 100, "relation": "at least"}. An empty response keeps none.
/// Words are runs of letters, digits, _ and '; sentences end with . ! or ?. Letters are ASCII's. Errors: no list, an
/// unknown id (language:response_language is one), absent or mistyped arguments.
Result<ConstraintReport> check_constraints(const nlohmann::json& constraints, std::string_view response);

}  // namespace plumb
