#pragma once
// Inside core/config: toml++ is included by one file only. Use core/config.h.

#include <string>
#include <string_view>
#include <vector>

#include "core/config.h"

namespace plumb::internal {

/// One "key = value" of a TOML text, tables flattened.
struct TomlEntry {
  std::string key;    // "section.name"
  std::string place;  // "file:line", for errors
  std::uint32_t line = 0;
  ConfigValue value;
};

/// The entries in the order of their lines. Errors: unreadable file, syntax, values that no field can hold (dates,
/// lists of lists).
Result<std::vector<TomlEntry>> parse_toml_file(const std::string& path);
Result<std::vector<TomlEntry>> parse_toml_text(std::string_view text, const std::string& origin);

/// The value of an override, read as the field's type wants it: texts unquoted or quoted, lists with or without
/// brackets.
Result<ConfigValue> parse_override(const ConfigField& field, const std::string& text);

}  // namespace plumb::internal
