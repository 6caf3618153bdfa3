#pragma once
// The task types (core/signature.h) of values whose function has no written signature.

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace plumb {

inline constexpr const char* kUnknownType = "?";  // the elements of an empty list; the start of a common_type chain

/// The task type of a value, with kUnknownType for what no element tells; empty where it has none.
std::string type_of_value(const nlohmann::json& value);

/// The smallest type that values of both types have: int and float have float, none and T optional[T]; empty where
/// there is none.
std::string common_type(const std::string& a, const std::string& b);

/// Whether an integer anywhere in `value` is beyond 32 bits, which C++'s int has.
bool has_wide_integer(const nlohmann::json& value);

/// `type` with int for whatever is unknown in it; empty where that is no task type.
std::string completed_type(std::string type);

}  // namespace plumb
