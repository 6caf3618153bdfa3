#include "core/config_format.h"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>

namespace plumb {
namespace internal {
namespace {

template <typename Real>
std::string shortest(Real value) {
  if (std::isnan(value)) {
    return "nan";
  }
  if (std::isinf(value)) {
    return value > 0 ? "inf" : "-inf";
  }
  std::array<char, 40> buffer{};
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  PLUMB_CHECK(error == std::errc(), "a number does not fit its buffer");
  return std::string(buffer.data(), end);
}

std::string real_text(double value) {
  const std::string text = shortest(value);
  return text.find_first_of(".en") == std::string::npos ? text + ".0" : text;
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += std::string("\\") + c;
    } else if (byte < 0x20 || byte == 0x7f) {
      constexpr std::string_view kHex = "0123456789ABCDEF";
      out += std::string("\\u00") + kHex[byte >> 4] + kHex[byte & 15];
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string element_text(bool value) {
  return value ? "true" : "false";
}
std::string element_text(std::int64_t value) {
  return std::to_string(value);
}
std::string element_text(double value) {
  return real_text(value);
}
std::string element_text(const std::string& value) {
  return quoted(value);
}

template <typename Element>
std::string element_text(const std::vector<Element>& values) {
  std::string text;
  for (const Element& value : values) {
    text += (text.empty() ? "" : ", ") + element_text(value);
  }
  return "[" + text + "]";
}

// An integer bound or a real one, as a person writes it.
std::string bound_text(double bound) {
  const bool whole = std::abs(bound) < 1e15 && bound == std::trunc(bound);
  return whole ? std::to_string(static_cast<std::int64_t>(bound)) : shortest(bound);
}

// "at least 1", "in [0, 1]", "" where every value of the type is allowed.
std::string range_text(const ConfigField& field) {
  const bool integers = std::holds_alternative<std::int64_t>(field.default_value) ||
                        std::holds_alternative<std::vector<std::int64_t>>(field.default_value);
  // The limits of the type itself say nothing to a reader.
  const double huge = integers ? 2147483647.0 : std::numeric_limits<double>::infinity();
  const bool low = field.doc.min > -huge;
  const bool high = field.doc.max < huge;
  if (low && high) {
    return "in [" + bound_text(field.doc.min) + ", " + bound_text(field.doc.max) + "]";
  }
  if (low) {
    return "at least " + bound_text(field.doc.min);
  }
  return high ? "at most " + bound_text(field.doc.max) : "";
}

std::string choices_text(const ConfigField& field) {
  std::string text;
  for (const std::string& choice : field.doc.choices) {
    text += (text.empty() ? "" : "|") + choice;
  }
  return text;
}

std::string expectation(const ConfigField& field) {
  if (!field.doc.choices.empty()) {
    return "one of " + choices_text(field);
  }
  const std::string range = range_text(field);
  return type_name(field.default_value) + (range.empty() ? "" : " " + range) +
         (field.doc.unit.empty() ? "" : " (" + field.doc.unit + ")");
}

bool allowed(const FieldDoc& doc, bool) {
  return doc.choices.empty();
}
bool allowed(const FieldDoc& doc, std::int64_t value) {
  const auto real = static_cast<double>(value);
  return real >= doc.min && real <= doc.max;
}
bool allowed(const FieldDoc& doc, double value) {
  return std::isfinite(value) && value >= doc.min && value <= doc.max;
}
bool allowed(const FieldDoc& doc, const std::string& value) {
  if (doc.choices.empty()) {
    return true;
  }
  for (const std::string& choice : doc.choices) {
    if (choice == value) {
      return true;
    }
  }
  return false;
}

template <typename Element>
bool allowed(const FieldDoc& doc, const std::vector<Element>& values) {
  for (const Element& value : values) {
    if (!allowed(doc, value)) {
      return false;
    }
  }
  return true;
}

bool is_empty_list(const ConfigValue& value) {
  return std::visit(
      [](const auto& held) {
        if constexpr (requires { held.front(); } && !std::is_same_v<std::decay_t<decltype(held)>, std::string>) {
          return held.empty();
        } else {
          return false;
        }
      },
      value);
}

ConfigValue empty_list_like(const ConfigValue& value) {
  if (std::holds_alternative<std::vector<double>>(value)) {
    return std::vector<double>();
  }
  if (std::holds_alternative<std::vector<std::int64_t>>(value)) {
    return std::vector<std::int64_t>();
  }
  return std::vector<std::string>();
}

}  // namespace

double shortest_double(float value) {
  const std::string text = shortest(value);
  double wide = value;
  std::from_chars(text.data(), text.data() + text.size(), wide);
  return wide;
}

std::string type_name(const ConfigValue& value) {
  constexpr std::array<const char*, 7> kNames = {"true or false",    "integer",         "number",       "text",
                                                 "list of integers", "list of numbers", "list of texts"};
  return kNames.at(value.index());
}

Result<ConfigValue> convert_value(const ConfigField& field, const ConfigValue& found) {
  const ConfigValue& wanted = field.default_value;
  if (found.index() == wanted.index()) {
    return found;
  }
  if (std::holds_alternative<double>(wanted) && std::holds_alternative<std::int64_t>(found)) {
    return ConfigValue(static_cast<double>(std::get<std::int64_t>(found)));
  }
  if (std::holds_alternative<std::vector<double>>(wanted) && std::holds_alternative<std::vector<std::int64_t>>(found)) {
    const auto& integers = std::get<std::vector<std::int64_t>>(found);
    return ConfigValue(std::vector<double>(integers.begin(), integers.end()));
  }
  const bool wants_list = wanted.index() >= 4;
  if (wants_list && is_empty_list(found)) {
    return empty_list_like(wanted);
  }
  return Error{field.key + ": expected " + expectation(field) + ", found " + type_name(found) + " " +
               to_toml_value(found)};
}

Result<void> check_value(const ConfigField& field, const ConfigValue& value) {
  const bool ok = std::visit([&](const auto& held) { return allowed(field.doc, held); }, value);
  if (!ok) {
    return Error{field.key + ": expected " + expectation(field) + ", found " + to_toml_value(value)};
  }
  return {};
}

std::string describe(const ConfigField& field) {
  std::string details = field.doc.choices.empty() ? range_text(field) : choices_text(field);
  if (!field.doc.unit.empty()) {
    details = field.doc.unit + (details.empty() ? "" : ", " + details);
  }
  return field.doc.help + (details.empty() ? "" : " (" + details + ")");
}

}  // namespace internal

std::string to_toml_value(const ConfigValue& value) {
  return std::visit([](const auto& held) { return internal::element_text(held); }, value);
}

}  // namespace plumb
