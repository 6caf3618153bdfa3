#include "compiler_sandbox/structure.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "compiler_sandbox/clang_reader.h"
#include "compiler_sandbox/structure_python.h"

namespace plumb {
namespace {

constexpr std::size_t kMostFunctions = 200;
constexpr std::size_t kMostText = 500;

bool is_read(std::string_view language) {
  return language == "python" || language == "c" || language == "cpp";
}

Result<Submission> look_at(const Judge& judge, const SourceText& one) {
  if (!is_read(one.language)) {
    return Error{"of python, c and cpp alone, not of " + one.language};
  }
  return one.language == "python" ? Result<Submission>(python_look(kPythonStructureTool, one.source))
                                  : clang_look(judge, one.language, one.source, {{"structure", true}});
}

FunctionStructure function_of(const nlohmann::json& json) {
  return {.name = json.at("name").get<std::string>().substr(0, kMostText),
          .line = json.at("line").get<int>(),
          .lines = json.at("lines").get<int>(),
          .parameters = json.at("parameters").get<int>(),
          .cyclomatic = json.at("cyclomatic").get<int>(),
          .nesting = json.at("nesting").get<int>()};
}

}  // namespace

Result<CodeStructure> read_structure(std::string_view printed) {
  try {
    const auto whole = nlohmann::json::parse(printed);
    const nlohmann::json& json = whole.contains("structure") ? whole["structure"] : whole;  // clang's reader says more
    CodeStructure structure;
    structure.lines = json.at("lines").get<int>();
    structure.first_error_line = json.at("first_error_line").get<int>();
    structure.parsed = std::clamp(json.at("parsed").get<double>(), 0.0, 1.0);
    structure.declarations = json.at("declarations").get<int>();
    structure.sound_declarations = json.at("sound_declarations").get<int>();
    for (const auto& function : json.at("functions")) {
      if (structure.functions.size() < kMostFunctions) {
        structure.functions.push_back(function_of(function));
      }
    }
    return structure;
  } catch (const nlohmann::json::exception& error) {
    return Error{std::string("structure: the tool printed something else: ") + error.what()};
  }
}

std::vector<Result<CodeStructure>> code_structure(Judge& judge, std::span<const SourceText> sources) {
  std::vector<Result<CodeStructure>> structures(sources.size(), CodeStructure());
  std::vector<Submission> looks;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    if (auto look = look_at(judge, sources[i])) {
      looks.push_back(std::move(*look));
      places.push_back(i);
    } else {
      structures[i] = look.error().with_context("structure");
    }
  }
  const std::vector<Evidence> seen = judge.judge_all(looks);
  for (std::size_t n = 0; n < places.size(); ++n) {
    const auto printed = printed_by(seen[n]);
    structures[places[n]] =
        printed ? read_structure(*printed) : Result<CodeStructure>(printed.error().with_context("structure"));
  }
  return structures;
}

}  // namespace plumb
