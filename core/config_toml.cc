#include "core/config_toml.h"

// toml++ 3.3 asserts that a key begins as one, on input that it refuses a line later.
#define TOML_ASSERT(expr) static_assert(true)
#include <toml++/toml.h>

#include <algorithm>

#include "core/atomic_file.h"
#include "core/config_format.h"
#include "core/escape.h"
#include "core/toml_ascii.h"

namespace plumb::internal {
namespace {

template <typename Element>
Result<ConfigValue> convert_list(const toml::array& list) {
  std::vector<Element> values;
  for (const toml::node& node : list) {
    // value<double>() takes integers too, which lets [0, 0.5] be a list of numbers.
    const auto value = node.value<Element>();
    if (!value) {
      return Error{"the elements of a list must be all integers, all numbers or all texts"};
    }
    values.push_back(*value);
  }
  return ConfigValue(std::move(values));
}

Result<ConfigValue> convert_node(const toml::node& node) {
  if (const auto* flag = node.as_boolean()) {
    return ConfigValue(flag->get());
  }
  if (const auto* integer = node.as_integer()) {
    return ConfigValue(integer->get());
  }
  if (const auto* real = node.as_floating_point()) {
    return ConfigValue(real->get());
  }
  if (const auto* text = node.as_string()) {
    return ConfigValue(text->get());
  }
  if (const auto* list = node.as_array()) {
    if (list->is_homogeneous(toml::node_type::integer) || list->empty()) {
      return convert_list<std::int64_t>(*list);
    }
    if (list->is_homogeneous(toml::node_type::string)) {
      return convert_list<std::string>(*list);
    }
    const bool numbers =
        std::all_of(list->begin(), list->end(), [](const toml::node& each) { return each.is_number(); });
    if (numbers) {
      return convert_list<double>(*list);
    }
    return Error{"the elements of a list must be all integers, all numbers or all texts"};
  }
  return Error{"a date or time is not a value that any key takes"};
}

Result<void> flatten(const toml::table& table, const std::string& prefix, const std::string& origin,
                     std::vector<TomlEntry>& entries) {
  for (const auto& [name, node] : table) {
    const std::string key = prefix.empty() ? std::string(name.str()) : prefix + "." + std::string(name.str());
    if (const toml::table* inner = node.as_table()) {
      PLUMB_TRY(flatten(*inner, key, origin, entries));
      continue;
    }
    const std::string place = origin + ":" + std::to_string(node.source().begin.line);
    PLUMB_ASSIGN(ConfigValue value, in_context(convert_node(node), place + ": " + key));
    entries.push_back({key, place, node.source().begin.line, std::move(value)});
  }
  return {};
}

Result<toml::table> parse(std::string_view text, const std::string& origin) {
  PLUMB_ASSIGN(const std::string ascii, toml_in_ascii(text, origin));
  try {
    return toml::parse(ascii, origin);
  } catch (const toml::parse_error& error) {
    return Error{origin + ":" + std::to_string(error.source().begin.line) +
                 ": not valid TOML: " + std::string(error.description())};
  }
}

std::string unquoted_text(const std::string& text) {
  const bool quoted = text.size() >= 2 && (text.front() == '"' || text.front() == '\'') && text.back() == text.front();
  if (!quoted) {
    return text;
  }
  const Result<toml::table> parsed = parse("value = " + text, "value");
  const auto value = parsed ? (*parsed)["value"].value<std::string>() : std::nullopt;
  return value ? *value : text;
}

// a,b,c as a list of texts needs no quotes either.
std::vector<std::string> split_texts(const std::string& text) {
  std::vector<std::string> parts;
  std::size_t start = 0;
  while (start <= text.size() && !text.empty()) {
    const std::size_t comma = std::min(text.find(',', start), text.size());
    parts.push_back(unquoted_text(text.substr(start, comma - start)));
    start = comma + 1;
  }
  return parts;
}

}  // namespace

Result<std::vector<TomlEntry>> parse_toml_text(std::string_view text, const std::string& origin) {
  PLUMB_ASSIGN(const toml::table table, parse(text, origin));
  std::vector<TomlEntry> entries;
  PLUMB_TRY(flatten(table, "", origin, entries));
  // toml++ keeps tables sorted by name; a reader expects the first error of the file first.
  std::stable_sort(entries.begin(), entries.end(),
                   [](const TomlEntry& a, const TomlEntry& b) { return a.line < b.line; });
  return entries;
}

Result<std::vector<TomlEntry>> parse_toml_file(const std::string& path) {
  PLUMB_ASSIGN(const std::string text, read_file(path));
  return parse_toml_text(text, path);
}

Result<ConfigValue> parse_override(const ConfigField& field, const std::string& text) {
  const bool wants_list = field.default_value.index() >= 4;
  const bool bracketed = !text.empty() && text.front() == '[';
  if (!is_utf8(text)) {
    return Error{field.key + ": expected UTF-8, found other bytes"};
  }
  if (std::holds_alternative<std::string>(field.default_value)) {
    return ConfigValue(unquoted_text(text));
  }
  if (std::holds_alternative<std::vector<std::string>>(field.default_value) && !bracketed) {
    return ConfigValue(split_texts(text));
  }
  const std::string source = wants_list && !bracketed ? "[" + text + "]" : text;
  const Result<toml::table> parsed = parse("value = " + source, "value");
  // One value and nothing behind it: a line feed must not bring a second key in.
  if (!parsed || parsed->size() != 1) {
    return Error{field.key + ": expected " + type_name(field.default_value) + ", found " +
                 (text.empty() ? "nothing" : text)};
  }
  return convert_node(*parsed->get("value"));
}

}  // namespace plumb::internal
