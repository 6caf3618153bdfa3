#pragma once
// Values of judged functions: what JSON has no word for is written as an object with one of these keys alone.
//   {"__tuple__": [...]}  {"__set__": [...]}  {"__dict__": [[key, value], ...]}  {"__bytes__": base64}
//   {"__int__": "digits"}  {"__float__": "nan" | "inf" | "-inf"}
// Where a type is declared its JSON is plainer: a tuple or a set is a list; a dict an object (its keys texts, or the
// digits of integers) or a list of pairs; bytes may be a text; a float may be an integer, "nan", "inf" or "-inf".

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/task_type.h"

namespace plumb {

enum class ValueKind { kNone, kBool, kInt, kFloat, kText, kBytes, kList, kTuple, kSet, kDict };

/// A value with its type, whatever its JSON looked like.
struct TypedValue {
  ValueKind kind = ValueKind::kNone;
  bool truth = false;             // kBool
  double number = 0;              // kFloat
  std::string text;               // kText and kBytes: the bytes; kInt: hexadecimal digits, "-" before them if negative
  std::vector<TypedValue> items;  // of a dict: key, value, key, value, ...
};

/// `value` as one of `type`; of "any" and "auto" by its JSON alone. Nothing where it does not fit. Integers may have
/// any size. Linear in the size of the value, but for digits in "__int__" (at most 20,000: half a millisecond).
std::optional<TypedValue> typed_value(const nlohmann::json& value, const TaskType& type);

/// Whether an integer (kInt) fits 32 bits.
bool fits_int32(const TypedValue& value);

/// JSON as nlohmann::json reads it, but for integers beyond 64 bits, which become {"__int__": "digits"} instead of a
/// rounded float. Discarded (is_discarded()) where `text` is no JSON or more than 512 deep.
nlohmann::json parse_exact_json(std::string_view text);

}  // namespace plumb
