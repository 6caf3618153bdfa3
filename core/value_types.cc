#include "core/value_types.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/signature.h"
#include "core/task_type.h"
#include "core/typed_value.h"

namespace plumb {
namespace {

const TaskType kUnknown{kUnknownType, {}};

std::optional<TaskType> common(const TaskType& a, const TaskType& b);

// One part for all.
std::optional<TaskType> common_of(const std::vector<std::optional<TaskType>>& types) {
  std::optional<TaskType> one = kUnknown;
  for (const auto& type : types) {
    one = one && type ? common(*one, *type) : std::nullopt;
  }
  return one;
}

std::optional<TaskType> with_optional(const TaskType& a, const TaskType& b) {
  const TaskType& inner_a = a.name == "optional" ? a.parts[0] : a;
  const TaskType& inner_b = b.name == "optional" ? b.parts[0] : b;
  if (inner_a.name == "none" || inner_b.name == "none") {
    return TaskType{"optional", {inner_a.name == "none" ? inner_b : inner_a}};
  }
  const auto inner = common(inner_a, inner_b);
  return inner ? std::optional(TaskType{"optional", {*inner}}) : std::nullopt;
}

std::optional<TaskType> common(const TaskType& a, const TaskType& b) {
  if (a == b || b == kUnknown) {
    return a;
  }
  if (a == kUnknown) {
    return b;
  }
  if ((a.name == "int" && b.name == "float") || (a.name == "float" && b.name == "int")) {
    return TaskType{"float", {}};
  }
  if (a.name == "optional" || b.name == "optional" || a.name == "none" || b.name == "none") {
    return with_optional(a, b);
  }
  if (a.name != b.name || a.parts.empty() || a.parts.size() != b.parts.size()) {
    return std::nullopt;
  }
  TaskType both{a.name, {}};
  for (std::size_t i = 0; i < a.parts.size(); ++i) {
    auto part = common(a.parts[i], b.parts[i]);
    if (!part) {
      return std::nullopt;
    }
    both.parts.push_back(std::move(*part));
  }
  return both;
}

std::optional<TaskType> type_of(const nlohmann::json& value);

template <typename Values>
std::optional<TaskType> of_all(const char* name, const Values& values) {
  std::vector<std::optional<TaskType>> types;
  for (const nlohmann::json& value : values) {
    types.push_back(type_of(value));
  }
  const auto one = common_of(types);
  return one ? std::optional(TaskType{name, {*one}}) : std::nullopt;
}

std::optional<TaskType> of_pairs(const nlohmann::json& pairs) {
  std::vector<std::optional<TaskType>> keys;
  std::vector<std::optional<TaskType>> values;
  for (const nlohmann::json& pair : pairs) {
    if (!pair.is_array() || pair.size() != 2) {
      return std::nullopt;
    }
    keys.push_back(type_of(pair[0]));
    values.push_back(type_of(pair[1]));
  }
  const auto key = common_of(keys);
  const auto value = common_of(values);
  return key && value ? std::optional(TaskType{"dict", {*key, *value}}) : std::nullopt;
}

std::optional<TaskType> of_object(const nlohmann::json& value) {
  const std::string tag = value.size() == 1 ? value.begin().key() : "";
  const nlohmann::json inner = value.size() == 1 ? value.front() : nlohmann::json();
  if (tag == "__int__" || tag == "__float__" || tag == "__bytes__") {
    return TaskType{tag == "__int__" ? "int" : tag == "__float__" ? "float" : "bytes", {}};
  }
  if (tag == "__set__" && inner.is_array()) {
    return of_all("set", inner);
  }
  if (tag == "__dict__" && inner.is_array()) {
    return of_pairs(inner);
  }
  if (tag == "__tuple__" && inner.is_array() && !inner.empty()) {
    TaskType tuple{"tuple", {}};
    for (const nlohmann::json& item : inner) {
      auto part = type_of(item);
      if (!part) {
        return std::nullopt;
      }
      tuple.parts.push_back(std::move(*part));
    }
    return tuple;
  }
  auto of_values = of_all("dict", value);
  if (of_values) {
    of_values->parts.insert(of_values->parts.begin(), TaskType{"str", {}});
  }
  return of_values;
}

std::optional<TaskType> type_of(const nlohmann::json& value) {
  switch (value.type()) {
    case nlohmann::json::value_t::null:
      return TaskType{"none", {}};
    case nlohmann::json::value_t::boolean:
      return TaskType{"bool", {}};
    case nlohmann::json::value_t::number_integer:
    case nlohmann::json::value_t::number_unsigned:
      return TaskType{"int", {}};
    case nlohmann::json::value_t::number_float:
      return TaskType{"float", {}};
    case nlohmann::json::value_t::string:
      return TaskType{"str", {}};
    case nlohmann::json::value_t::array:
      return of_all("list", value);
    case nlohmann::json::value_t::object:
      return of_object(value);
    default:
      return std::nullopt;
  }
}

TaskType completed(TaskType type) {
  if (type == kUnknown) {
    return {"int", {}};
  }
  for (TaskType& part : type.parts) {
    part = completed(std::move(part));
  }
  return type;
}

std::string text_of(const std::optional<TaskType>& type) {
  return type ? to_string(*type) : std::string();
}

}  // namespace

std::string common_type(const std::string& a, const std::string& b) {
  const auto first = parse_task_type(a);
  const auto second = parse_task_type(b);
  return first && second ? text_of(common(*first, *second)) : std::string();
}

std::string type_of_value(const nlohmann::json& value) {
  return text_of(type_of(value));
}

bool has_wide_integer(const nlohmann::json& value) {
  const bool maybe = value.is_number_integer() || value.contains("__int__");
  const auto whole = maybe ? typed_value(value, TaskType{"int", {}}) : std::nullopt;
  return whole ? !fits_int32(*whole)
               : value.is_structured() && std::any_of(value.begin(), value.end(), has_wide_integer);
}

std::string completed_type(std::string type) {
  const auto parsed = parse_task_type(type);
  type = parsed ? to_string(completed(*parsed)) : "";
  return is_task_type(type) ? type : "";
}

}  // namespace plumb
