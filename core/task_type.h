#pragma once
// The types of judged functions' parameters and results, taken apart.
//   int  float  bool  str  bytes  none  any  list[T]  set[T]  optional[T]  dict[K, V]  tuple[A, B, ...]

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace plumb {

/// A type and what stands in its brackets.
struct TaskType {
  std::string name;
  std::vector<TaskType> parts;
  bool operator==(const TaskType&) const = default;
};

/// Blanks do not matter. Nothing where the text is no type: an unknown name, a wrong number of parts, more than 8 deep
/// or more than 64 parts in all. kUnknownType (core/value_types.h) and "auto" (any, for C++) are types here too.
std::optional<TaskType> parse_task_type(std::string_view text);

/// The type as text, with ", " between parts.
std::string to_string(const TaskType& type);

/// Whether `name` occurs in `type`, at any depth.
bool mentions(const TaskType& type, std::string_view name);

}  // namespace plumb
