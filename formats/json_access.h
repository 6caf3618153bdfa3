#pragma once
// Looking into JSON that others wrote.

#include <nlohmann/json.hpp>
#include <string>

namespace plumb {

/// At most 200 bytes of `value`, for messages.
inline std::string show(const nlohmann::json& value) {
  return value.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace).substr(0, 200);
}

/// The value under `key`; null where it is absent, or `object` is none.
inline const nlohmann::json& get(const nlohmann::json& object, const char* key) {
  static const nlohmann::json null;
  if (!object.is_object()) {
    return null;
  }
  const auto found = object.find(key);
  return found == object.end() ? null : *found;
}

}  // namespace plumb
