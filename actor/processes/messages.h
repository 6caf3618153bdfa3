#pragma once
// What a learner and its actors write to each other: one frame of CBOR (RFC 8949) each, an object with a "kind".
//
// To an actor      weights   {path, version}: a file of policy/weight_set.h to go on with, between two decode steps
//                  generate  {job, options, requests}
//                  stop      {}: of the job it is at
//                  end       {}: of the process
// From an actor    ready     {}: it can be written to
//                  weights   {version}: that it samples with now
//                  progress  {job, new_tokens, preempted}
//                  group     {job, index, completions}: of the job's request `index`
//                  done      {job}
//                  fault     {job, text}: the job cannot be done by anyone
//
// Numbers are exact on the way: f32 travels as its own bits or as a double.

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "actor/generator.h"

namespace plumb::internal {

/// Where the fleet that has this folder listens.
inline std::string endpoint_in(const std::string& folder) {
  return "ipc://" + folder + "/socket";
}

std::string to_frame(const nlohmann::json& message);
/// Errors: bytes that are no CBOR object with a "kind".
Result<nlohmann::json> from_frame(std::string_view bytes);

/// A "generate" message. options.on_token does not travel.
nlohmann::json generate_message(std::uint64_t job, const GeneratorOptions& options,
                                const std::vector<GenerationRequest>& requests);

struct GenerateJob {
  std::uint64_t job = 0;
  GeneratorOptions options;
  std::vector<GenerationRequest> requests;  // of prompts that have their id alone
};
/// Errors: another kind of message, or one that is not whole.
Result<GenerateJob> read_generate_message(const nlohmann::json& message);

nlohmann::json completions_to_json(const std::vector<Completion>& completions);
/// Errors: JSON that completions_to_json() does not write.
Result<std::vector<Completion>> completions_from_json(const nlohmann::json& json);

}  // namespace plumb::internal
