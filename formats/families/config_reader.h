#pragma once
// Reads one JSON object key by key, remembers the first error, and knows in the end which keys nobody asked for.

#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "core/result.h"

namespace plumb {

/// Targets keep their value where a key is absent or null. After a type error the rest is read on, to no effect on the
/// error.
class ConfigReader {
 public:
  explicit ConfigReader(const nlohmann::json& object) : object_(object) {}

  [[nodiscard]] bool has(const std::string& key) const { return object_.contains(key) && !object_[key].is_null(); }
  /// Neither a value nor null.
  [[nodiscard]] bool absent(const std::string& key) const { return !object_.contains(key); }
  void integer(const std::string& key, std::int64_t& target);
  void required_integer(const std::string& key, std::int64_t& target);
  void real(const std::string& key, float& target);
  void boolean(const std::string& key, bool& target);
  void text(const std::string& key, std::string& target);
  void integers(const std::string& key, std::vector<std::int64_t>& target);
  /// The key as JSON; null where absent.
  const nlohmann::json& raw(const std::string& key);
  /// The key, where present, must hold this value: any other changes what the model computes.
  void only(const std::string& key, const nlohmann::json& value);
  /// These change nothing that plumb computes.
  void ignore(std::initializer_list<const char*> keys);

  /// Records "<key> <what>" as the error, unless there is one.
  void fail(const std::string& key, const std::string& what);
  /// Records an error for the first key that was neither read nor ignored.
  void refuse_other_keys(const std::string& owner);
  [[nodiscard]] const Result<void>& error() const { return error_; }
  /// The key's value as JSON text, cut to a readable length.
  [[nodiscard]] std::string dump(const std::string& key) const;

 private:
  const nlohmann::json& object_;
  std::set<std::string> known_;
  Result<void> error_;
};

}  // namespace plumb
