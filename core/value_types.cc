#include "core/value_types.h"

#include <nlohmann/json.hpp>

#include "core/signature.h"

namespace plumb {

std::string common_type(const std::string& a, const std::string& b) {
  if (a == b || b == kUnknownType) {
    return a;
  }
  if (a == kUnknownType) {
    return b;
  }
  if ((a == "int" && b == "float") || (a == "float" && b == "int")) {
    return "float";
  }
  if (a.starts_with("list[") && b.starts_with("list[")) {
    const std::string element = common_type(a.substr(5, a.size() - 6), b.substr(5, b.size() - 6));
    return element.empty() ? "" : "list[" + element + "]";
  }
  return "";
}

std::string type_of_value(const nlohmann::json& value) {
  switch (value.type()) {
    case nlohmann::json::value_t::boolean:
      return "bool";
    case nlohmann::json::value_t::number_integer:
    case nlohmann::json::value_t::number_unsigned:
      return "int";
    case nlohmann::json::value_t::number_float:
      return "float";
    case nlohmann::json::value_t::string:
      return "str";
    case nlohmann::json::value_t::array: {
      std::string element = kUnknownType;
      for (const nlohmann::json& item : value) {
        element = element.empty() ? "" : common_type(element, type_of_value(item));
      }
      return element.empty() ? "" : "list[" + element + "]";
    }
    default:
      return "";
  }
}

std::string completed_type(std::string type) {
  if (const std::size_t unknown = type.find(kUnknownType); unknown != std::string::npos) {
    type.replace(unknown, 1, "int");
  }
  return is_task_type(type) ? type : "";
}

}  // namespace plumb
