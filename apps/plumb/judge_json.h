#pragma once
// Submissions and evidence as JSON, for `plumb judge` (docs/sandbox.md).

#include <nlohmann/json.hpp>

#include "compiler_sandbox/judge.h"
#include "compiler_sandbox/structure.h"

namespace plumb {

/// {"language","source","entry":"stdio"|"function:NAME","tests":[{"input","output"}|{"args","result"}],"checker",
/// "limits","signature"} as a submission. Without "signature" ({"parameters":[{"name","type"}],"returns"}) a function's
/// types are those of its tests' values. Errors: a key that lacks or has another type, an entry of another kind.
Result<Submission> submission_from_json(const nlohmann::json& row);

/// {"verdict","passed","total","tests","diagnostics","findings","output","cpu_s","wall_s","peak_mib","isolation",
/// "cached"}, for whole programs "errors","exit_code","signal", and "fault" where there is one. Bytes that are no UTF-8
/// are {"base64"}.
nlohmann::json evidence_to_json(const Evidence& evidence);

/// {"lines","functions":[{"name","line","lines","parameters","cyclomatic","nesting"}],"first_error_line","parsed",
/// "declarations","sound_declarations"}.
nlohmann::json structure_to_json(const CodeStructure& structure);

}  // namespace plumb
