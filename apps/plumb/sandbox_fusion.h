#pragma once
// The requests of ByteDance's SandboxFusion, answered by plumb's judge, so that a trainer that speaks to it (verl's
// sandbox_fusion.url) may point at plumb instead. Field names and their meaning are SandboxFusion's; where it would run
// a program, ours runs isolated, and time limits are CPU time (and, for sleepers, as much wall time).

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "compiler_sandbox/judge.h"

namespace plumb {

/// POST /run_code: {"code","language","stdin"?,"run_timeout"?,"compile_timeout"?,"memory_limit_MB"?} as one run of a
/// program. "files" and "fetch_files" must be empty. Errors name the key.
Result<Submission> run_code_from_json(const nlohmann::json& request);

/// {"status","message","compile_result","run_result","executor_pod_name","files"}. A fault of ours is "SandboxError".
nlohmann::json run_code_to_json(const Submission& submission, const Evidence& evidence);

/// What SandboxFusion answers where it cannot run anything, with status 200.
nlohmann::json sandbox_error(const std::string& sentence);

/// POST /submit with a task of the request's own: {"id","completion","config":{"language"?,"run_timeout"?,...,
/// "provided_data":{"test":[{"input":{"stdin"},"output":{"stdout"}}]}}}.
struct FusionSubmit {
  nlohmann::json id;
  std::string language;   // of the judged block; SandboxFusion's name
  Submission submission;  // all tests are run; without a source where the completion has no closed code block
};

/// Errors name the key.
Result<FusionSubmit> submit_from_json(const nlohmann::json& request);

/// {"id","accepted","extracted_code","tests":[{"passed","exec_info"}],...}.
nlohmann::json submit_to_json(const FusionSubmit& submit, const Evidence& evidence);

}  // namespace plumb
