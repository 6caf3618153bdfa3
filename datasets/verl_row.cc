// verl's rows. The ground truth of code is a JSON text inside the JSON row; with fn_name the inputs are the arguments
// of one call, as a list or as one JSON value a line, and the parameter types are worked out from all calls together.

#include <algorithm>
#include <array>
#include <cctype>

#include "core/value_types.h"
#include "datasets/function_row.h"
#include "datasets/other_rows.h"

namespace plumb {

namespace {

using nlohmann::json;

/// The arguments of one call: a list as it stands, or a text with one JSON value a line.
Result<json> call_arguments(const Row& row, const json& input) {
  if (input.is_array()) {
    return input;
  }
  if (!input.is_string()) {
    return row.refuse("reward_model.ground_truth", "expected inputs as lists or texts, found " + describe(input));
  }
  json arguments = json::array();
  const std::string text = input.get<std::string>();
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    PLUMB_ASSIGN(json value, parse_json(text.substr(begin, end - begin), row.place + ": an input of the ground truth"));
    arguments.push_back(std::move(value));
    begin = end + 1;
  }
  return arguments;
}

/// The expected value of one call: a JSON text, or a list that holds it where the arguments came as a list.
Result<json> call_result(const Row& row, const json& input, const json& output) {
  if (input.is_array()) {
    return output.is_array() && output.size() == 1 ? output[0] : output;
  }
  return output.is_string() ? parse_json(output.get<std::string>(), row.place + ": an output of the ground truth")
                            : output;
}

/// Parameter and result types from all calls; the calls are then checked against them as those of a function row.
Result<void> infer_signature(const Row& row, const std::vector<TestCase>& calls, FunctionSignature& function) {
  std::vector<std::string> types(calls.front().args.size(), kUnknownType);
  std::string returns = kUnknownType;
  for (const TestCase& call : calls) {
    if (call.args.size() != types.size()) {
      return row.refuse("reward_model.ground_truth", "expected as many arguments in every call");
    }
    for (std::size_t i = 0; i <= types.size(); ++i) {
      std::string& type = i < types.size() ? types[i] : returns;
      const json& value = i < types.size() ? call.args[i] : call.result;
      type = type.empty() || has_wide_integer(value) ? "" : common_type(type, type_of_value(value));
    }
  }
  const auto settled = [](const std::string& type) {
    const std::string whole = completed_type(type);
    return whole.empty() || whole == "none" ? "any" : whole;  // Python takes any value
  };
  for (std::size_t i = 0; i < types.size(); ++i) {
    function.parameters.push_back({"arg" + std::to_string(i), settled(types[i])});
  }
  function.returns = settled(returns);
  return {};
}

Result<void> read_calls(const Row& row, const json& truth, PromptRecord& prompt) {
  std::vector<TestCase> calls;
  for (std::size_t i = 0; i < truth["inputs"].size(); ++i) {
    PLUMB_ASSIGN(json args, call_arguments(row, truth["inputs"][i]));
    PLUMB_ASSIGN(json result, call_result(row, truth["inputs"][i], truth["outputs"][i]));
    calls.push_back({std::move(args), std::move(result)});
  }
  PLUMB_TRY(infer_signature(row, calls, prompt.function));
  json cases = json::array();
  for (const TestCase& call : calls) {
    cases.push_back({{"args", call.args}, {"result", call.result}});
  }
  PLUMB_ASSIGN(prompt.tests, read_cases(Row{row.place, {{"tests", std::move(cases)}}}, "tests", prompt.function));
  return {};
}

/// Whole programs: texts on standard input and output.
Result<void> read_streams(const Row& row, const json& truth, PromptRecord& prompt) {
  for (std::size_t i = 0; i < truth["inputs"].size(); ++i) {
    if (!truth["inputs"][i].is_string() || !truth["outputs"][i].is_string()) {
      return row.refuse("reward_model.ground_truth", "expected texts as inputs and outputs where there is no fn_name");
    }
    prompt.tests.push_back({json::array({truth["inputs"][i]}), truth["outputs"][i]});
  }
  prompt.function = {"", {{"standard_input", "str"}}, "str"};
  return {};
}

Result<void> read_code_truth(const Row& row, const json& truth, PromptRecord& prompt) {
  if (!truth["inputs"].is_array() || !truth["outputs"].is_array() || truth["inputs"].empty() ||
      truth["inputs"].size() != truth["outputs"].size()) {
    return row.refuse("reward_model.ground_truth",
                      "expected inputs and outputs as lists of the same length, not empty");
  }
  prompt.domain = Domain::kCode;
  prompt.language = Language::kPython;
  const Row inner{row.place + ": \"reward_model.ground_truth\"", truth};
  if (!truth.contains("fn_name") || truth["fn_name"].is_null()) {
    return read_streams(row, truth, prompt);
  }
  PLUMB_ASSIGN(prompt.function.name, required_text(inner, "fn_name"));
  if (!is_usable_name(prompt.function.name)) {
    return inner.refuse("fn_name", "\"" + prompt.function.name + "\" cannot name a function");
  }
  return read_calls(row, truth, prompt);
}

/// Asserts, a text each, that are run with the program.
Result<void> read_asserts(const Row& row, const json& asserts, PromptRecord& prompt) {
  prompt.domain = Domain::kCode;
  prompt.language = Language::kPython;
  for (const json& one : asserts.is_array() ? asserts : json::array({nullptr})) {
    if (!one.is_string()) {
      return row.refuse("reward_model.ground_truth", "expected assert_case to be a list of texts");
    }
    prompt.test_code.code += one.get<std::string>() + "\n";
  }
  return prompt.test_code.code.empty() ? row.refuse("reward_model.ground_truth", "expected at least one assert_case")
                                       : Result<void>();
}

/// The ground truth as a JSON object with inputs and outputs, or with asserts; null where it is anything else.
Result<json> code_truth(const Row& row, const json& truth) {
  if (truth.is_object()) {
    return truth;
  }
  if (!truth.is_string()) {
    return json();
  }
  const std::string text = truth.get<std::string>();
  if (text.find_first_not_of(" \t\r\n") == std::string::npos || text[text.find_first_not_of(" \t\r\n")] != '{' ||
      (text.find("\"inputs\"") == std::string::npos && text.find("\"assert_case\"") == std::string::npos)) {
    return json();
  }
  return parse_json(text, row.place + ": \"reward_model.ground_truth\"");
}

Result<void> read_extra_info(const Row& row, PromptRecord& prompt) {
  const auto extra = row.json.find("extra_info");
  if (extra == row.json.end() || !extra->is_object()) {
    return {};
  }
  const Row inner{row.place + ": \"extra_info\"", *extra};
  PLUMB_ASSIGN(const std::string split, optional_text(inner, "split", prompt.split));
  prompt.split = split_name(split);
  PLUMB_ASSIGN(std::string language, optional_text(inner, "language", ""));
  std::transform(language.begin(), language.end(), language.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  constexpr std::array<std::string_view, 12> kOthers = {"java", "javascript", "typescript", "nodejs", "go",   "rust",
                                                        "c",    "c#",         "csharp",     "kotlin", "ruby", "bash"};
  if (prompt.domain == Domain::kCode && std::find(kOthers.begin(), kOthers.end(), language) != kOthers.end()) {
    return inner.refuse("language", "expected python or cpp, found " + language);
  }
  if (prompt.domain == Domain::kCode && (language == "cpp" || language == "c++")) {
    if (!prompt.test_code.code.empty()) {
      return row.refuse("extra_info.language", "asserts are judged in Python alone");
    }
    const auto is_any = [](const Parameter& one) { return one.type == "any"; };
    const FunctionSignature& function = prompt.function;
    if (function.returns == "any" || std::any_of(function.parameters.begin(), function.parameters.end(), is_any)) {
      return row.refuse("reward_model.ground_truth",
                        "expected values of one type in every call and integers of 32 bits, as C++ needs them");
    }
    prompt.language = Language::kCpp;
  }
  return {};
}

}  // namespace

Result<PromptRecord> read_verl_row(const Row& row) {
  PromptRecord prompt;
  prompt.domain = Domain::kMath;
  prompt.license = "NOASSERTION";
  prompt.split = "rl";
  PLUMB_ASSIGN(prompt.id, optional_text(row, "id", row.default_id()));
  prompt.family = prompt.id;
  PLUMB_ASSIGN(prompt.data_source, optional_text(row, "data_source", "user"));
  PLUMB_ASSIGN(prompt.messages, read_messages(row, "prompt"));
  const json& model = row.json["reward_model"];
  if (!model.is_object() || !model.contains("ground_truth")) {
    return row.refuse("reward_model", "expected an object with ground_truth, found " + describe(model));
  }
  const json& truth = model["ground_truth"];
  PLUMB_ASSIGN(const json code, code_truth(row, truth));
  if (code.is_object() && code.contains("assert_case")) {
    PLUMB_TRY(read_asserts(row, code["assert_case"], prompt));
  } else if (code.is_object() && code.contains("inputs") && code.contains("outputs")) {
    PLUMB_TRY(read_code_truth(row, code, prompt));
  } else if (truth.is_string() || !number_text(truth).empty()) {
    prompt.answer = truth.is_string() ? truth.get<std::string>() : number_text(truth);
  } else {
    return row.refuse("reward_model.ground_truth",
                      "expected a text, a number or {inputs, outputs}, found " + describe(truth));
  }
  PLUMB_TRY(read_extra_info(row, prompt));
  return prompt;
}

}  // namespace plumb
