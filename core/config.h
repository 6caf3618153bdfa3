#pragma once
// Typed configuration. A component owns a plain struct; its describe() names every field once, with range, unit and a
// line of meaning; the field's initialiser is the default. TOML files, --set overrides, the printed table and the
// resolved config that is saved with a run all come from that one list.
//
//   struct SftConfig {
//     double learning_rate = 2e-5;
//     std::int64_t batch_size = 16;
//     void describe(ConfigSection& section) {
//       section.field("learning_rate", learning_rate, {.help = "peak step size of AdamW", .min = 0, .max = 1});
//       section.field("batch_size", batch_size, {.help = "per update", .unit = "sequences", .min = 1});
//     }
//   };
//
//   SftConfig sft;
//   Config config;
//   config.add("sft", sft);
//   PLUMB_TRY(config.load_file("run.toml"));         // later calls override earlier ones
//   PLUMB_TRY(config.set("sft.learning_rate=1e-5"));
//   // sft is filled in; config.to_toml() is the resolved config.

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/result.h"

namespace plumb {
namespace internal {
struct TomlEntry;
}

/// A value as TOML knows it. Empty lists are written [] whatever their type.
using ConfigValue = std::variant<bool, std::int64_t, double, std::string, std::vector<std::int64_t>,
                                 std::vector<double>, std::vector<std::string>>;

/// What is said about a field. Bounds are inclusive and hold for each element of a list.
struct FieldDoc {
  std::string help;
  std::string unit = {};
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
  std::vector<std::string> choices = {};  // texts only: the values allowed; empty = any
};

/// A registered field: where its value lives and what may be put there.
struct ConfigField {
  std::string key;  // "section.name"
  FieldDoc doc;
  ConfigValue default_value;  // what the struct held when it was added
  std::function<ConfigValue()> get;
  std::function<void(const ConfigValue&)> set;  // only ever called with a value of default_value's alternative
};

/// Collects the fields of one struct. `value` references must outlive the Config.
class ConfigSection {
 public:
  ConfigSection(std::string name, std::vector<ConfigField>& fields) : name_(std::move(name)), fields_(fields) {}

  void field(const std::string& name, bool& value, FieldDoc doc);
  void field(const std::string& name, int& value, FieldDoc doc);
  void field(const std::string& name, std::int64_t& value, FieldDoc doc);
  void field(const std::string& name, std::uint64_t& value, FieldDoc doc);  // up to 2^63 - 1
  void field(const std::string& name, float& value, FieldDoc doc);
  void field(const std::string& name, double& value, FieldDoc doc);
  void field(const std::string& name, std::string& value, FieldDoc doc);
  void field(const std::string& name, std::vector<std::int64_t>& value, FieldDoc doc);
  void field(const std::string& name, std::vector<double>& value, FieldDoc doc);
  void field(const std::string& name, std::vector<std::string>& value, FieldDoc doc);

  /// An enum by the names of its values, e.g. {{"f32", ComputeDtype::kF32}, ...}; the choices are those names.
  template <typename Enum>
  void choice(const std::string& name, Enum& value, std::vector<std::pair<std::string, Enum>> names, FieldDoc doc);

 private:
  void add(const std::string& name, FieldDoc doc, std::function<ConfigValue()> get,
           std::function<void(const ConfigValue&)> set);
  template <typename Stored, typename Value>
  void add_value(const std::string& name, Value& value, FieldDoc doc);

  std::string name_;
  std::vector<ConfigField>& fields_;
};

/// The fields of every component of a command. Not copyable: it refers to structs owned by the caller.
class Config {
 public:
  Config() = default;
  Config(const Config&) = delete;
  Config& operator=(const Config&) = delete;

  /// Registers `component`.describe() under `section` ("grpo", "reward.math", ...), which must be new. `component` must
  /// outlive the Config.
  template <typename Component>
  void add(const std::string& section, Component& component) {
    ConfigSection view(section, fields_);
    component.describe(view);
  }

  /// Sets the fields that the TOML file names. Errors: an unreadable file, a syntax error (with its line), an unknown
  /// key (with the nearest known one), a value of the wrong type or out of range. After an error some fields may be
  /// set.
  Result<void> load_file(const std::string& path);
  /// The same for text; `origin` stands for the file name in errors.
  Result<void> load_text(std::string_view text, const std::string& origin);

  /// Applies "section.key=value". Texts need no quotes; lists are written [1, 2] or 1,2.
  Result<void> set(const std::string& assignment);

  /// Every field with its value, as TOML with the meaning, range and default in comments: loading it gives the same
  /// values, bit for bit.
  [[nodiscard]] std::string to_toml() const;
  /// SHA-256 of the values alone (keys and values in order, no comments), in hex.
  [[nodiscard]] std::string checksum() const;
  /// One sentence for each key whose value is not that of `toml`, an earlier to_toml(): "grpo.clip_high: was 0.2, is
  /// 0.3". Keys that only one of the two knows count. Errors: `toml` (from `origin`) is no TOML.
  [[nodiscard]] Result<std::vector<std::string>> differences_from(std::string_view toml,
                                                                  const std::string& origin) const;
  /// A table of all keys: default, range and unit, meaning.
  [[nodiscard]] std::string help() const;

  [[nodiscard]] const std::vector<ConfigField>& fields() const { return fields_; }

 private:
  Result<void> load(const std::vector<internal::TomlEntry>& entries);

  std::vector<ConfigField> fields_;
};

/// `value` in TOML syntax; numbers with the fewest digits that read back to the same bits.
std::string to_toml_value(const ConfigValue& value);

template <typename Enum>
void ConfigSection::choice(const std::string& name, Enum& value, std::vector<std::pair<std::string, Enum>> names,
                           FieldDoc doc) {
  for (const auto& entry : names) {
    doc.choices.push_back(entry.first);
  }
  const auto get = [&value, names]() -> ConfigValue {
    for (const auto& [text, each] : names) {
      if (each == value) {
        return text;
      }
    }
    PLUMB_CHECK(false, "a config enum holds a value without a name");
  };
  const auto set = [&value, names](const ConfigValue& text) {
    for (const auto& [known, each] : names) {
      if (known == std::get<std::string>(text)) {
        value = each;
      }
    }
  };
  add(name, std::move(doc), get, set);
}

}  // namespace plumb
