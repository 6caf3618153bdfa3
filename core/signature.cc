#include "core/signature.h"

#include "core/check.h"

namespace plumb {

namespace {

constexpr int kMaxListDepth = 8;
constexpr std::string_view kListOpen = "list[";

bool is_scalar(std::string_view type) {
  return type == "int" || type == "float" || type == "bool" || type == "str";
}

/// The T of list[T]; empty where `type` is not written as a list.
std::string_view element_type(std::string_view type) {
  if (!type.starts_with(kListOpen) || !type.ends_with(']')) {
    return {};
  }
  type.remove_prefix(kListOpen.size());
  type.remove_suffix(1);
  return type;
}

std::string cpp_parameter(const Parameter& parameter) {
  const bool by_value = is_scalar(parameter.type) && parameter.type != "str";
  const std::string type = cpp_type(parameter.type);
  return (by_value ? type + " " : "const " + type + "& ") + parameter.name;
}

}  // namespace

bool is_task_type(std::string_view type) {
  for (int depth = 0; depth <= kMaxListDepth; ++depth) {
    if (is_scalar(type)) {
      return true;
    }
    type = element_type(type);
  }
  return false;
}

std::string cpp_type(std::string_view type) {
  PLUMB_CHECK(is_task_type(type), "not a task type: " + std::string(type));
  if (type == "float") {
    return "double";
  }
  if (type == "str") {
    return "std::string";
  }
  if (is_scalar(type)) {
    return std::string(type);
  }
  return "std::vector<" + cpp_type(element_type(type)) + ">";
}

std::string signature_text(const FunctionSignature& function, Language language) {
  PLUMB_CHECK(language != Language::kNone, "a signature needs a language");
  const bool cpp = language == Language::kCpp;
  std::string parameters;
  for (const Parameter& parameter : function.parameters) {
    parameters += parameters.empty() ? "" : ", ";
    parameters += cpp ? cpp_parameter(parameter) : parameter.name + ": " + parameter.type;
  }
  if (cpp) {
    return cpp_type(function.returns) + " " + function.name + "(" + parameters + ")";
  }
  return "def " + function.name + "(" + parameters + ") -> " + function.returns + ":";
}

}  // namespace plumb
