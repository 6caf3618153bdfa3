#include "compiler_sandbox/values.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

#include "compiler_sandbox/drivers.h"
#include "compiler_sandbox/value_reader.h"

namespace plumb {

namespace {

std::string float_text(double value) {
  char buffer[64];
  std::snprintf(buffer, sizeof(buffer), "%a", value);
  return std::string("d") + buffer + ";";
}

std::string counted(char letter, std::size_t size) {
  return letter + std::to_string(size) + ":";
}

std::string encoded(const TypedValue& value) {
  std::string text;
  encode_value(value, text);
  return text;
}

// Keys of a dict, or elements of a set, each once, in the order of their texts. `step`: 2 for a dict.
struct Entry {
  std::string key;
  const TypedValue* value = nullptr;  // of a dict
};
std::vector<Entry> sorted_entries(const TypedValue& value, std::size_t step) {
  std::vector<Entry> entries;
  for (std::size_t i = 0; i + step <= value.items.size(); i += step) {
    entries.push_back({encoded(value.items[i]), step == 2 ? &value.items[i + 1] : nullptr});
  }
  std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.key < b.key; });
  entries.erase(
      std::unique(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.key == b.key; }),
      entries.end());
  return entries;
}

bool fits_language(const TypedValue& value, const TaskType& type, Language language) {
  if (language != Language::kCpp || type.name == "auto") {
    return true;
  }
  return (value.kind != ValueKind::kInt || fits_int32(value)) &&
         std::all_of(value.items.begin(), value.items.end(),
                     [&](const TypedValue& item) { return fits_language(item, type, language); });
}

}  // namespace

void encode_value(const TypedValue& value, std::string& text) {
  switch (value.kind) {
    case ValueKind::kNone:
      text += 'n';
      return;
    case ValueKind::kBool:
      text += value.truth ? 't' : 'f';
      return;
    case ValueKind::kInt:
      text += "i" + value.text + ";";
      return;
    case ValueKind::kFloat:
      text += float_text(value.number);
      return;
    case ValueKind::kText:
    case ValueKind::kBytes:
      text += counted(value.kind == ValueKind::kText ? 's' : 'b', value.text.size()) + value.text;
      return;
    case ValueKind::kList:
    case ValueKind::kTuple:
      text += counted(value.kind == ValueKind::kList ? 'l' : 'u', value.items.size());
      for (const TypedValue& item : value.items) {
        encode_value(item, text);
      }
      return;
    case ValueKind::kSet:
    case ValueKind::kDict: {
      const bool is_set = value.kind == ValueKind::kSet;
      const std::vector<Entry> entries = sorted_entries(value, is_set ? 1 : 2);
      text += counted(is_set ? 'e' : 'm', entries.size());
      for (const Entry& entry : entries) {
        text += entry.key;
        if (!is_set) {
          encode_value(*entry.value, text);
        }
      }
      return;
    }
  }
}

Result<std::string> encode_arguments(const nlohmann::json& args, const FunctionSignature& function, Language language) {
  if (!args.is_array() || args.size() != function.parameters.size()) {
    return Error{"the call of " + function.name + " needs an array of " + std::to_string(function.parameters.size()) +
                 " arguments"};
  }
  std::string text;
  for (std::size_t i = 0; i < args.size(); ++i) {
    const Parameter& parameter = function.parameters[i];
    const auto type = parse_task_type(is_own_cpp_type(parameter.type) ? "auto" : parameter.type);
    const auto value = type ? typed_value(args[i], *type) : std::nullopt;
    if (!value || !fits_language(*value, *type, language)) {
      return Error{"argument " + parameter.name + " of " + function.name + " does not fit the type " + parameter.type};
    }
    encode_value(*value, text);
  }
  return text;
}

bool is_well_formed(std::string_view encoded, std::size_t count) {
  ValueReader reader(encoded);
  for (std::size_t i = 0; i < count && !reader.failed(); ++i) {
    reader.skip();
  }
  return !reader.failed() && reader.at_end();
}

}  // namespace plumb
