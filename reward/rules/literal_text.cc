#include "reward/rules/literal_text.h"

#include <cmath>

#include "core/signature.h"
#include "core/typed_value.h"

namespace plumb {
namespace {

std::string quoted(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

std::string integer_text(const std::string& hex) {
  const bool negative = hex.starts_with('-');
  const std::string digits = hex.substr(negative ? 1 : 0);
  const bool small = digits.size() < 16;
  const std::string magnitude = small ? std::to_string(std::stoull(digits, nullptr, 16)) : "0x" + digits;
  return (negative ? "-" : "") + magnitude;
}

std::string float_text(double value, bool cpp) {
  if (!std::isfinite(value)) {
    const std::string inner = std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
    return cpp ? "std::stod(\"" + inner + "\")" : "float(\"" + inner + "\")";
  }
  const std::string text = nlohmann::json(value).dump();
  return text.find_first_of(".eE") == std::string::npos ? text + ".0" : text;
}

std::string bytes_text(const std::string& bytes, bool cpp) {
  std::string text;
  for (const unsigned char byte : bytes) {
    text += (text.empty() ? "" : ", ") + std::to_string(byte);
  }
  return cpp ? "std::vector<unsigned char>{" + text + "}" : "bytes([" + text + "])";
}

std::string scalar_text(const TypedValue& value, bool cpp) {
  switch (value.kind) {
    case ValueKind::kNone:
      return cpp ? "{}" : "None";
    case ValueKind::kBool:
      return value.truth ? (cpp ? "true" : "True") : (cpp ? "false" : "False");
    case ValueKind::kInt:
      return integer_text(value.text);
    case ValueKind::kFloat:
      return float_text(value.number, cpp);
    case ValueKind::kBytes:
      return bytes_text(value.text, cpp);
    default:
      return quoted(value.text);
  }
}

std::string python_text(const TypedValue& value) {
  std::string items;
  const bool is_dict = value.kind == ValueKind::kDict;
  for (std::size_t i = 0; i < value.items.size(); ++i) {
    items += i == 0 ? "" : is_dict && i % 2 == 1 ? ": " : ", ";
    items += python_text(value.items[i]);
  }
  switch (value.kind) {
    case ValueKind::kList:
      return "[" + items + "]";
    case ValueKind::kTuple:
      return "(" + items + (value.items.size() == 1 ? ",)" : ")");
    case ValueKind::kSet:
      return value.items.empty() ? "set()" : "{" + items + "}";
    case ValueKind::kDict:
      return "{" + items + "}";
    default:
      return scalar_text(value, false);
  }
}

std::string cpp_text(const TypedValue& value, const TaskType& type) {
  if (type.name == "optional") {
    return value.kind == ValueKind::kNone ? "std::nullopt" : cpp_text(value, type.parts[0]);
  }
  if (type.parts.empty()) {
    return scalar_text(value, true);
  }
  std::string items;
  const bool is_dict = type.name == "dict";
  for (std::size_t i = 0; i < value.items.size(); ++i) {
    const TaskType& part = type.parts[type.name == "tuple" ? i : is_dict ? i % 2 : 0];
    items += i == 0 ? "" : ", ";
    items += (is_dict && i % 2 == 0 ? "{" : "") + cpp_text(value.items[i], part) + (is_dict && i % 2 == 1 ? "}" : "");
  }
  return cpp_type(to_string(type)) + "{" + items + "}";
}

}  // namespace

std::string literal_text(const nlohmann::json& value, std::string_view type, Language language) {
  const bool cpp = language == Language::kCpp;
  const auto declared = parse_task_type(type);
  const auto typed = declared ? typed_value(value, *declared) : std::nullopt;
  if (!typed) {  // a value of no such type: as JSON says it, for it makes a program that fails in any case
    return value.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  }
  return cpp ? cpp_text(*typed, *declared) : python_text(*typed);
}

}  // namespace plumb
