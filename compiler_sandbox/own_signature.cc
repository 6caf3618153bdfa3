#include "compiler_sandbox/own_signature.h"

#include <nlohmann/json.hpp>

#include "compiler_sandbox/clang_reader.h"
#include "compiler_sandbox/drivers.h"
#include "compiler_sandbox/examine_program.h"
#include "compiler_sandbox/step_outcome.h"

namespace plumb {
namespace {

std::string own(const nlohmann::json& type) {
  return std::string(kOwnCppType) + type.get<std::string>();
}

std::optional<FunctionSignature> read(const std::string& printed, const FunctionSignature& asked) {
  const auto json = nlohmann::json::parse(printed, nullptr, false);
  FunctionSignature function{asked.name, {}, ""};
  try {
    const auto& types = json.at("signature");
    function.returns = own(types.at("returns"));
    for (const auto& type : types.at("parameters")) {
      function.parameters.push_back({"a" + std::to_string(function.parameters.size()), own(type)});
    }
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
  bool plain = is_own_cpp_type(function.returns) && function.parameters.size() == asked.parameters.size();
  for (const Parameter& parameter : function.parameters) {
    plain = plain && is_own_cpp_type(parameter.type);
  }
  return plain ? std::optional(std::move(function)) : std::nullopt;
}

}  // namespace

std::optional<FunctionSignature> own_signature(Worker& worker, Toolchain& tools, const Languages& languages,
                                               const std::vector<std::string>& reader, const Submission& submission) {
  if (reader.empty()) {
    return std::nullopt;
  }
  Submission look =
      clang_look(reader, submission.source,
                 {{"signature", submission.function.name}, {"arguments", submission.function.parameters.size()}});
  look.limits.cpu_s = submission.limits.compile_cpu_s;
  look.limits.wall_s = submission.limits.compile_wall_s;
  look.limits.memory_mib = submission.limits.compile_memory_mib;
  const Finding finding = examine_program(worker, tools, languages, look, false);
  return finding.evidence.exit_code == 0 ? read(finding.evidence.output, submission.function) : std::nullopt;
}

}  // namespace plumb
