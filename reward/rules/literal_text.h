#pragma once
// JSON values as source text of a judged language.

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "core/records.h"

namespace plumb {

/// `value` of the task type `type` as a literal of `language` (kCpp or kPython), e.g. [true] of list[bool] as
/// "std::vector<bool>{true}" or "[True]". "nan", "inf" and "-inf" of type float are written out.
std::string literal_text(const nlohmann::json& value, std::string_view type, Language language);

}  // namespace plumb
