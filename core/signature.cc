#include "core/signature.h"

#include <map>

#include "core/check.h"
#include "core/task_type.h"

namespace plumb {

namespace {

bool is_scalar(std::string_view type) {
  return type == "int" || type == "float" || type == "bool";
}

std::string cpp_text(const TaskType& type) {
  static const std::map<std::string, std::string> names = {{"int", "int"},
                                                           {"float", "double"},
                                                           {"bool", "bool"},
                                                           {"str", "std::string"},
                                                           {"none", "void"},
                                                           {"bytes", "std::vector<unsigned char>"},
                                                           {"list", "std::vector"},
                                                           {"set", "std::set"},
                                                           {"dict", "std::map"},
                                                           {"tuple", "std::tuple"},
                                                           {"optional", "std::optional"}};
  std::string text = names.at(type.name);
  for (std::size_t i = 0; i < type.parts.size(); ++i) {
    text += (i == 0 ? "<" : ", ") + cpp_text(type.parts[i]);
  }
  return type.parts.empty() ? text : text + ">";
}

std::string python_text(const TaskType& type) {
  if (type.name == "optional") {
    return python_text(type.parts[0]) + " | None";
  }
  std::string text = type.name == "none" ? "None" : type.name == "any" ? "object" : type.name;
  for (std::size_t i = 0; i < type.parts.size(); ++i) {
    text += (i == 0 ? "[" : ", ") + python_text(type.parts[i]);
  }
  return type.parts.empty() ? text : text + "]";
}

std::string python_type(std::string_view type) {
  const auto parsed = parse_task_type(type);
  PLUMB_CHECK(parsed.has_value(), "not a type: " + std::string(type));
  return python_text(*parsed);
}

std::string cpp_parameter(const Parameter& parameter) {
  const std::string type = cpp_type(parameter.type);
  return (is_scalar(parameter.type) ? type + " " : "const " + type + "& ") + parameter.name;
}

}  // namespace

bool is_task_type(std::string_view type) {
  const auto parsed = parse_task_type(type);
  const auto within = [&](const char* name) { return mentions(*parsed, name); };
  return parsed && !within("any") && !within("auto") && !within("?") && (parsed->name == "none" || !within("none"));
}

std::string cpp_type(std::string_view type) {
  PLUMB_CHECK(is_task_type(type), "not a task type: " + std::string(type));
  return cpp_text(*parse_task_type(type));
}

std::string signature_text(const FunctionSignature& function, Language language) {
  PLUMB_CHECK(language != Language::kNone, "a signature needs a language");
  const bool cpp = language == Language::kCpp;
  std::string parameters;
  for (const Parameter& parameter : function.parameters) {
    parameters += parameters.empty() ? "" : ", ";
    parameters += cpp ? cpp_parameter(parameter) : parameter.name + ": " + python_type(parameter.type);
  }
  if (cpp) {
    return cpp_type(function.returns) + " " + function.name + "(" + parameters + ")";
  }
  return "def " + function.name + "(" + parameters + ") -> " + python_type(function.returns) + ":";
}

}  // namespace plumb
