#pragma once
// Evidence as it is kept in files: verdicts.jsonl of a run, the evidence folder of a judge.

#include <nlohmann/json.hpp>

#include "core/records.h"
#include "core/result.h"

namespace plumb {

/// All of it but findings, which have evidence of their own, `fault` and `cached`. Bytes that are no text are base64.
nlohmann::json stored_json(const Evidence& evidence);

/// What stored_json() gave. Errors: anything else.
Result<Evidence> evidence_from_stored_json(const nlohmann::json& json);

}  // namespace plumb
