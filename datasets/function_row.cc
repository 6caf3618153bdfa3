#include "datasets/function_row.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>

#include "core/signature.h"
#include "core/task_type.h"
#include "core/typed_value.h"
#include "datasets/other_rows.h"

namespace plumb {

namespace {

using nlohmann::json;

constexpr std::size_t kMaxParameters = 16;
constexpr std::array<std::string_view, 88> kKeywords = {
    "alignas",   "alignof",  "and",      "as",       "asm",      "assert",   "async",   "auto",    "await",
    "bool",      "break",    "case",     "catch",    "char",     "class",    "concept", "const",   "constexpr",
    "continue",  "co_await", "co_yield", "decltype", "def",      "default",  "del",     "delete",  "do",
    "double",    "elif",     "else",     "enum",     "except",   "explicit", "export",  "extern",  "false",
    "finally",   "float",    "for",      "friend",   "from",     "global",   "goto",    "if",      "import",
    "in",        "inline",   "int",      "is",       "lambda",   "long",     "main",    "mutable", "namespace",
    "new",       "noexcept", "nonlocal", "not",      "nullptr",  "operator", "or",      "pass",    "private",
    "protected", "public",   "raise",    "register", "requires", "return",   "short",   "signed",  "sizeof",
    "static",    "std",      "struct",   "switch",   "template", "this",     "throw",   "true",    "try",
    "typedef",   "typename", "union",    "unsigned", "using",    "virtual",  "void"};

/// The description (not empty) as the end of "Write a ... function ". "Return x" is made "that returns x."; another
/// sentence that begins with a capital letter is kept whole after a colon, for its verb cannot be put into another form
/// safely.
std::string request(std::string description) {
  for (const std::string_view verb : {"Returns ", "Return ", "return "}) {
    if (description.starts_with(verb)) {
      description.replace(0, verb.size(), "returns ");
      break;
    }
  }
  const char last = description.back();
  description += last == '.' || last == '!' || last == '?' ? "" : ".";
  const bool whole = description.front() >= 'A' && description.front() <= 'Z';
  return (whole ? "for this: " : "that ") + description;
}

Result<FunctionSignature> read_signature(const Row& row) {
  const auto function = row.json.find("function");
  if (function == row.json.end() || !function->is_object()) {
    return row.refuse("function", "expected an object with name, parameters and returns");
  }
  const Row inner{row.place, *function};
  FunctionSignature signature;
  PLUMB_ASSIGN(signature.name, required_text(inner, "name"));
  PLUMB_ASSIGN(signature.returns, required_text(inner, "returns"));
  if (!is_usable_name(signature.name)) {
    return row.refuse("function.name", "\"" + signature.name + "\" cannot name a function in both languages");
  }
  if (!is_task_type(signature.returns)) {
    return row.refuse("function.returns",
                      "expected a type (docs/records.md has them), found \"" + signature.returns + "\"");
  }
  const auto parameters = function->find("parameters");
  if (parameters == function->end() || !parameters->is_array() || parameters->size() > kMaxParameters) {
    return row.refuse("function.parameters", "expected a list of at most 16 objects with name and type");
  }
  for (const json& parameter : *parameters) {
    if (!parameter.is_object()) {
      return row.refuse("function.parameters", "expected objects with name and type, found " + describe(parameter));
    }
    const Row entry{row.place, parameter};
    PLUMB_ASSIGN(std::string name, required_text(entry, "name"));
    PLUMB_ASSIGN(std::string type, required_text(entry, "type"));
    if (!is_usable_name(name) || !is_task_type(type) || type == "none") {
      return row.refuse("function.parameters",
                        "\"" + name + ": " + type + "\" is not a usable name with a type (docs/records.md has them)");
    }
    signature.parameters.push_back({std::move(name), std::move(type)});
  }
  return signature;
}

std::string_view element_type(std::string_view type) {
  return type.substr(5, type.size() - 6);
}

/// Integers where a float is due become floats, through lists.
void floats_of(json& value, std::string_view type) {
  if (type == "float" && value.is_number_integer()) {
    value = value.get<double>();
  } else if (type.starts_with("list[")) {
    for (json& element : value) {
      floats_of(element, element_type(type));
    }
  }
}

/// Whether both languages have it: integers of 32 bits, finite floats.
bool is_portable(const TypedValue& value) {
  return (value.kind != ValueKind::kInt || fits_int32(value)) &&
         (value.kind != ValueKind::kFloat || std::isfinite(value.number)) &&
         std::all_of(value.items.begin(), value.items.end(), is_portable);
}

Result<TestCase> read_case(const Row& row, const std::string& where, const json& entry,
                           const FunctionSignature& function) {
  if (!entry.is_object() || !entry.contains("args") || !entry.contains("result")) {
    return row.refuse(where, "expected {\"args\": [...], \"result\": ...}, found " + describe(entry));
  }
  TestCase test{entry["args"], entry["result"]};
  const std::size_t due = function.parameters.size();
  if (!test.args.is_array() || test.args.size() != due) {
    return row.refuse(where + ".args",
                      "expected a list of " + std::to_string(due) + " arguments, found " + describe(test.args));
  }
  for (std::size_t i = 0; i < due; ++i) {
    const std::string& type = function.parameters[i].type;
    if (!is_of_type(test.args[i], type)) {
      return row.refuse(where + ".args[" + std::to_string(i) + "]",
                        "expected " + type + ", found " + describe(test.args[i]));
    }
    floats_of(test.args[i], type);
  }
  if (!is_of_type(test.result, function.returns)) {
    return row.refuse(where + ".result", "expected " + function.returns + ", found " + describe(test.result));
  }
  floats_of(test.result, function.returns);
  return test;
}

Result<std::vector<Language>> read_languages(const Row& row) {
  const auto listed = row.json.find("languages");
  if (listed == row.json.end()) {
    return std::vector<Language>{Language::kPython, Language::kCpp};
  }
  std::vector<Language> languages;
  for (const json& name : listed->is_array() ? *listed : json::array({nullptr})) {
    if (name != "python" && name != "cpp") {
      return row.refuse("languages", "expected a list of \"python\" and \"cpp\", found " + describe(*listed));
    }
    languages.push_back(name == "cpp" ? Language::kCpp : Language::kPython);
  }
  return languages;
}

/// The text at references.<language>, empty where there is none.
Result<std::string> read_reference(const Row& row, Language language) {
  const auto references = row.json.find("references");
  if (references == row.json.end()) {
    return std::string();
  }
  if (!references->is_object()) {
    return row.refuse("references", "expected an object of texts by language, found " + describe(*references));
  }
  return optional_text(Row{row.place + ": references", *references}, std::string(to_string(language)).c_str(), "");
}

Result<std::vector<TestCase>> read_cases_of(const Row& row, const char* key, const json& cases,
                                            const FunctionSignature& function) {
  if (!cases.is_array()) {
    return row.refuse(key, "expected a list of {\"args\": [...], \"result\": ...}, found " + describe(cases));
  }
  std::vector<TestCase> tests;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    PLUMB_ASSIGN(TestCase test, read_case(row, std::string(key) + "[" + std::to_string(i) + "]", cases[i], function));
    tests.push_back(std::move(test));
  }
  return tests;
}

}  // namespace

bool is_of_type(const json& value, std::string_view type) {
  const auto parsed = parse_task_type(type);
  const auto typed = parsed ? typed_value(value, *parsed) : std::nullopt;
  return typed && (parsed->name == "any" || is_portable(*typed));
}

bool is_usable_name(std::string_view name) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  return !name.empty() && name.size() <= 64 && is_letter(name.front()) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return is_letter(c) || is_digit(c); }) &&
         std::find(kKeywords.begin(), kKeywords.end(), name) == kKeywords.end();
}

Result<std::vector<TestCase>> read_cases(const Row& row, const char* key, const FunctionSignature& function) {
  const auto cases = row.json.find(key);
  return cases == row.json.end() ? std::vector<TestCase>{} : read_cases_of(row, key, *cases, function);
}

Result<std::vector<PromptRecord>> read_function_row(const Row& row, std::span<const Language> languages,
                                                    const json* audit) {
  PromptRecord common;
  PLUMB_ASSIGN(common.id, required_text(row, "id"));
  PLUMB_ASSIGN(common.family, optional_text(row, "family", common.id));
  PLUMB_ASSIGN(common.split, optional_text(row, "split", "rl"));
  PLUMB_ASSIGN(common.data_source, optional_text(row, "data_source", "user"));
  common.split = split_name(common.split);
  PLUMB_ASSIGN(common.license, optional_text(row, "license", "NOASSERTION"));
  PLUMB_ASSIGN(const std::string description, required_text(row, "description"));
  if (description.empty()) {
    return row.refuse("description", "expected a phrase such as \"returns the sum of a list.\", found an empty text");
  }
  PLUMB_ASSIGN(common.function, read_signature(row));
  PLUMB_TRY(read_cases(row, "examples", common.function));
  PLUMB_ASSIGN(common.tests, read_cases(row, "tests", common.function));
  if (common.tests.empty()) {
    return row.refuse("tests", "expected at least one graded case {\"args\": [...], \"result\": ...}");
  }
  if (row.has("audit") || audit == nullptr) {
    PLUMB_ASSIGN(common.audit_tests, read_cases(row, "audit", common.function));
  } else {
    PLUMB_ASSIGN(common.audit_tests, read_cases_of(row, "audit", *audit, common.function));
  }
  PLUMB_ASSIGN(const std::vector<Language> offered, read_languages(row));
  std::vector<PromptRecord> prompts;
  for (const Language language : offered) {
    PLUMB_ASSIGN(std::string reference, read_reference(row, language));
    if (!languages.empty() && std::find(languages.begin(), languages.end(), language) == languages.end()) {
      continue;
    }
    PromptRecord& prompt = prompts.emplace_back(common);
    prompt.id += "/" + std::string(to_string(language));
    prompt.language = language;
    prompt.reference = std::move(reference);
    prompt.messages = {{"user", function_prompt(description, common.function, language)}};
  }
  return prompts;
}

std::string function_prompt(const std::string& description, const FunctionSignature& function, Language language) {
  const std::string what = language == Language::kCpp ? "C++" : "Python";
  return "Write a " + what + " function " + request(description) + "\n`" + signature_text(function, language) +
         "`\nAnswer with one code block.";
}

}  // namespace plumb
