#include "compiler_sandbox/structure.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "compiler_sandbox/structure_tools.h"

namespace plumb {
namespace {

constexpr std::size_t kMostFunctions = 200;
constexpr std::size_t kMostText = 500;
constexpr int kPrintedBytes = 256 << 10;

bool is_read(std::string_view language) {
  return language == "python" || language == "c" || language == "cpp";
}

std::string tool_for(std::string_view language) {
  if (language == "python") {
    return kPythonStructureTool;
  }
  const bool c = language == "c";
  return std::string("LANGUAGE, DIALECT = ") + (c ? R"("c", "-std=gnu17")" : R"("c++", "-std=c++20")") +
         kClangStructureTool;
}

// The tool as a program whose input is the source.
Submission look_at(const SourceText& one) {
  Submission look;
  look.program_language = "python";
  look.source = tool_for(one.language);
  look.program_tests.push_back({one.source, ""});
  look.limits = {.cpu_s = 20, .wall_s = 60, .memory_mib = 1024, .output_bytes = kPrintedBytes};
  look.shown_output_bytes = kPrintedBytes;
  return look;
}

Result<CodeStructure> read_look(const Evidence& seen) {
  constexpr int kNoTool = 127;
  if (seen.verdict == Verdict::kSE) {
    return Error{"structure: " + seen.fault};
  }
  if (seen.exit_code == kNoTool) {
    return Error{"structure: C and C++ need libclang 16 for Python; install the package python3-clang-16"};
  }
  if (seen.exit_code != 0) {
    return Error{"structure: the tool ended with " + std::string(to_string(seen.verdict)) +
                 (seen.errors.empty() ? "" : ": " + seen.errors.substr(0, kMostText))};
  }
  return read_structure(seen.output);
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
    const auto json = nlohmann::json::parse(printed);
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
  std::vector<Submission> looks;
  for (const SourceText& one : sources) {
    if (is_read(one.language)) {
      looks.push_back(look_at(one));
    }
  }
  const std::vector<Evidence> seen = judge.judge_all(looks);
  std::vector<Result<CodeStructure>> structures;
  auto next = seen.begin();
  for (const SourceText& one : sources) {
    structures.push_back(is_read(one.language)
                             ? read_look(*next++)
                             : Error{"structure: of python, c and cpp alone, not of " + one.language});
  }
  return structures;
}

}  // namespace plumb
