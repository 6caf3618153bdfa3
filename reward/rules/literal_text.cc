#include "reward/rules/literal_text.h"

#include "core/signature.h"

namespace plumb {
namespace {

std::string float_text(const nlohmann::json& value, bool cpp) {
  if (value.is_string()) {
    const std::string inner = value.get<std::string>();
    return cpp ? "std::stod(\"" + inner + "\")" : "float(\"" + inner + "\")";
  }
  const std::string text = value.dump();
  return text.find_first_of(".eE") == std::string::npos ? text + ".0" : text;
}

std::string dump_text(const nlohmann::json& value) {
  return value.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

}  // namespace

std::string literal_text(const nlohmann::json& value, std::string_view type, Language language) {
  const bool cpp = language == Language::kCpp;
  if (value.is_boolean()) {
    return value.get<bool>() ? (cpp ? "true" : "True") : (cpp ? "false" : "False");
  }
  if (value.is_null()) {
    return cpp ? "{}" : "None";
  }
  if (type == "float") {
    return float_text(value, cpp);
  }
  if (!value.is_array()) {
    return dump_text(value);
  }
  const std::string_view element =
      type.starts_with("list[") ? type.substr(5, type.size() - 6) : std::string_view("int");
  std::string items;
  for (const nlohmann::json& item : value) {
    items += (items.empty() ? "" : ", ") + literal_text(item, element, language);
  }
  return cpp ? cpp_type(type) + "{" + items + "}" : "[" + items + "]";
}

}  // namespace plumb
