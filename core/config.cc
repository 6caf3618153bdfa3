#include "core/config.h"

#include <algorithm>
#include <map>
#include <set>
#include <type_traits>

#include "core/check.h"
#include "core/config_format.h"
#include "core/config_toml.h"
#include "core/escape.h"
#include "core/hash.h"
#include "core/nearest.h"

namespace plumb {

void ConfigSection::add(const std::string& name, FieldDoc doc, std::function<ConfigValue()> get,
                        std::function<void(const ConfigValue&)> set) {
  const std::string key = name_.empty() ? name : name_ + "." + name;
  const bool known = std::any_of(fields_.begin(), fields_.end(), [&](const ConfigField& f) { return f.key == key; });
  PLUMB_CHECK(!known, "config key registered twice: " + key);
  ConfigValue initial = get();
  PLUMB_CHECK(internal::check_value(ConfigField{key, doc, initial, {}, {}}, initial).ok(),
              "the default of " + key + " is outside its own range");
  fields_.push_back({key, std::move(doc), std::move(initial), std::move(get), std::move(set)});
}

template <typename Stored, typename Value>
void ConfigSection::add_value(const std::string& name, Value& value, FieldDoc doc) {
  if constexpr (std::is_integral_v<Value> && !std::is_same_v<Value, bool>) {
    doc.min = std::max(doc.min, static_cast<double>(std::numeric_limits<Value>::min()));
    doc.max = std::min(doc.max, static_cast<double>(std::numeric_limits<Value>::max()));
  }
  add(
      name, std::move(doc), [&value]() -> ConfigValue { return static_cast<Stored>(value); },
      [&value](const ConfigValue& stored) { value = static_cast<Value>(std::get<Stored>(stored)); });
}

void ConfigSection::field(const std::string& name, bool& value, FieldDoc doc) {
  add_value<bool>(name, value, std::move(doc));
}
void ConfigSection::field(const std::string& name, int& value, FieldDoc doc) {
  add_value<std::int64_t>(name, value, std::move(doc));
}
void ConfigSection::field(const std::string& name, std::int64_t& value, FieldDoc doc) {
  add_value<std::int64_t>(name, value, std::move(doc));
}
void ConfigSection::field(const std::string& name, std::uint64_t& value, FieldDoc doc) {
  add_value<std::int64_t>(name, value, std::move(doc));
}
void ConfigSection::field(const std::string& name, double& value, FieldDoc doc) {
  add_value<double>(name, value, std::move(doc));
}
void ConfigSection::field(const std::string& name, std::string& value, FieldDoc doc) {
  add_value<std::string>(name, value, std::move(doc));
}
void ConfigSection::field(const std::string& name, std::vector<std::int64_t>& value, FieldDoc doc) {
  add_value<std::vector<std::int64_t>>(name, value, std::move(doc));
}
void ConfigSection::field(const std::string& name, std::vector<double>& value, FieldDoc doc) {
  add_value<std::vector<double>>(name, value, std::move(doc));
}
void ConfigSection::field(const std::string& name, std::vector<std::string>& value, FieldDoc doc) {
  add_value<std::vector<std::string>>(name, value, std::move(doc));
}

void ConfigSection::field(const std::string& name, float& value, FieldDoc doc) {
  // The double that prints as the float does: 0.1F shows as 0.1, and still reads back to the same float.
  add(
      name, std::move(doc), [&value]() -> ConfigValue { return internal::shortest_double(value); },
      [&value](const ConfigValue& stored) { value = static_cast<float>(std::get<double>(stored)); });
}

namespace {

Result<const ConfigField*> find_field(const std::vector<ConfigField>& fields, const std::string& key) {
  std::vector<std::string> known;
  for (const ConfigField& field : fields) {
    if (field.key == key) {
      return &field;
    }
    known.push_back(field.key);
  }
  // A bare name, or one in the wrong section, is nearer to its namesake than to a short key elsewhere.
  const std::string name = key.substr(key.rfind('.') + 1);
  for (const std::string& candidate : known) {
    if (candidate.substr(candidate.rfind('.') + 1) == name) {
      return Error{"unknown key " + key + "; the nearest known one is " + candidate};
    }
  }
  const std::string nearest = nearest_name(key, known);
  return Error{"unknown key " + key + (nearest.empty() ? "" : "; the nearest known one is " + nearest)};
}

Result<void> assign(const ConfigField& field, const ConfigValue& found) {
  PLUMB_ASSIGN(const ConfigValue value, internal::convert_value(field, found));
  PLUMB_TRY(internal::check_value(field, value));
  field.set(value);
  return {};
}

}  // namespace

Result<void> Config::load_file(const std::string& path) {
  PLUMB_ASSIGN(const std::vector<internal::TomlEntry> entries, internal::parse_toml_file(path));
  return load(entries);
}

Result<void> Config::load_text(std::string_view text, const std::string& origin) {
  PLUMB_ASSIGN(const std::vector<internal::TomlEntry> entries, internal::parse_toml_text(text, origin));
  return load(entries);
}

Result<void> Config::load(const std::vector<internal::TomlEntry>& entries) {
  for (const internal::TomlEntry& entry : entries) {
    PLUMB_ASSIGN(const ConfigField* field, internal::in_context(find_field(fields_, entry.key), entry.place));
    PLUMB_TRY(internal::in_context(assign(*field, entry.value), entry.place));
  }
  return {};
}

Result<void> Config::set(const std::string& assignment) {
  const std::size_t equals = assignment.find('=');
  if (equals == std::string::npos || equals == 0) {
    return Error{"--set " + assignment + ": expected section.key=value"};
  }
  const std::string place = "--set " + to_utf8(assignment);
  PLUMB_ASSIGN(const ConfigField* field,
               internal::in_context(find_field(fields_, assignment.substr(0, equals)), place));
  PLUMB_ASSIGN(const ConfigValue value,
               internal::in_context(internal::parse_override(*field, assignment.substr(equals + 1)), place));
  return internal::in_context(assign(*field, value), place);
}

std::string Config::to_toml() const {
  std::string text;
  std::string section;
  std::set<std::string> written;
  // Keys without a section have to stand before the first [section].
  std::vector<const ConfigField*> order;
  for (const bool top_level : {true, false}) {
    for (const ConfigField& field : fields_) {
      if ((field.key.find('.') == std::string::npos) == top_level) {
        order.push_back(&field);
      }
    }
  }
  for (const ConfigField* field : order) {
    const std::size_t dot = field->key.rfind('.');
    const std::string in = dot == std::string::npos ? "" : field->key.substr(0, dot);
    if (in != section) {
      PLUMB_CHECK(written.insert(in).second, "config section added in two places: " + in);
      text += (text.empty() ? "[" : "\n[") + in + "]\n";
      section = in;
    }
    const ConfigValue value = field->get();
    const std::string line = field->key.substr(dot == std::string::npos ? 0 : dot + 1) + " = " + to_toml_value(value);
    text += line + "  # " + internal::describe(*field);
    text += value == field->default_value ? "\n" : "; default " + to_toml_value(field->default_value) + "\n";
  }
  return text;
}

std::string Config::checksum() const {
  std::string text;
  for (const ConfigField& field : fields_) {
    text += field.key + " = " + to_toml_value(field.get()) + "\n";
  }
  return sha256_hex(text);
}

Result<std::vector<std::string>> Config::differences_from(std::string_view toml, const std::string& origin) const {
  PLUMB_ASSIGN(const std::vector<internal::TomlEntry> entries, internal::parse_toml_text(toml, origin));
  std::map<std::string, std::string> before;
  for (const internal::TomlEntry& entry : entries) {
    before[entry.key] = to_toml_value(entry.value);
  }
  std::vector<std::string> sentences;
  for (const ConfigField& field : fields_) {
    const std::string now = to_toml_value(field.get());
    const auto old = before.find(field.key);
    // A number may have been written as an integer.
    const auto same = old == before.end() ? Result<ConfigValue>(Error{}) : internal::parse_override(field, old->second);
    if (!same || to_toml_value(*same) != now) {
      sentences.push_back(field.key + ": was " + (old == before.end() ? "absent" : old->second) + ", is " + now);
    }
    before.erase(field.key);
  }
  for (const auto& [key, value] : before) {
    sentences.push_back(key + ": was " + value + ", is no key any more");
  }
  return sentences;
}

std::string Config::help() const {
  std::size_t key_width = 0;
  std::size_t default_width = 0;
  for (const ConfigField& field : fields_) {
    key_width = std::max(key_width, field.key.size());
    default_width = std::max(default_width, std::min<std::size_t>(24, to_toml_value(field.default_value).size()));
  }
  std::string text;
  const auto padded = [](std::string cell, std::size_t width) {
    cell.resize(std::max(cell.size(), width), ' ');
    return cell + "  ";
  };
  for (const ConfigField& field : fields_) {
    text += padded(field.key, key_width) + padded(to_toml_value(field.default_value), default_width) +
            internal::describe(field) + "\n";
  }
  return text;
}

}  // namespace plumb
