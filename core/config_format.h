#pragma once
// Inside core/config: values as text, and the checks on them. Use core/config.h.

#include <string>

#include "core/config.h"

namespace plumb::internal {

/// The double with the shortest decimal form that rounds to `value`.
double shortest_double(float value);

/// "integer", "list of texts", ...
std::string type_name(const ConfigValue& value);

/// `found` as the type of the field: an integer where a number is wanted becomes one; an empty list takes any type.
Result<ConfigValue> convert_value(const ConfigField& field, const ConfigValue& found);

/// Errors: out of range, not finite, or none of the choices; names the key, what is expected and what was found.
Result<void> check_value(const ConfigField& field, const ConfigValue& value);

/// One line: meaning, unit, range or choices.
std::string describe(const ConfigField& field);

/// `result` with `place` put in front of its error.
template <typename T>
Result<T> in_context(Result<T> result, const std::string& place) {
  if (!result) {
    return result.error().with_context(place);
  }
  return result;
}

}  // namespace plumb::internal
