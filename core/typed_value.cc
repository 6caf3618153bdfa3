#include "core/typed_value.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/escape.h"

namespace plumb {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxDigits = 20000;
constexpr std::size_t kMaxJsonDepth = 512;
constexpr std::size_t kInt32Digits = 8;

std::string hex(bool negative, std::uint64_t magnitude) {
  char buffer[24];
  const auto end = std::to_chars(buffer, buffer + sizeof(buffer), magnitude, 16);
  return (negative && magnitude != 0 ? "-" : "") + std::string(buffer, end.ptr);
}

std::string hex_of(const Json& integer) {
  if (integer.is_number_unsigned()) {
    return hex(false, integer.get<std::uint64_t>());
  }
  const auto value = integer.get<std::int64_t>();
  return hex(value < 0, value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value));
}

// `limbs`, little end first, times `factor` plus `addend`.
void multiply_add(std::vector<std::uint64_t>& limbs, std::uint64_t factor, std::uint64_t addend) {
  __extension__ using Wide = unsigned __int128;
  std::uint64_t carry = addend;
  for (std::uint64_t& limb : limbs) {
    const Wide product = Wide{limb} * factor + carry;
    limb = static_cast<std::uint64_t>(product);
    carry = static_cast<std::uint64_t>(product >> 64U);
  }
  if (carry != 0) {
    limbs.push_back(carry);
  }
}

// Decimal digits with an optional sign, of any length, as hexadecimal ones. Many digits at a time: quadratic as it is,
// digit by digit it would take hundreds of times as long.
std::optional<std::string> hex_of_decimal(std::string_view digits) {
  constexpr std::size_t kDigitsAtOnce = 18;  // fewer than 64 bits
  const bool negative = digits.starts_with('-');
  digits.remove_prefix(negative ? 1 : 0);
  if (digits.empty() || digits.size() > kMaxDigits ||
      digits.find_first_not_of("0123456789") != std::string_view::npos) {
    return std::nullopt;
  }
  std::vector<std::uint64_t> limbs;
  while (!digits.empty()) {
    const std::size_t count = std::min(digits.size(), kDigitsAtOnce);
    std::uint64_t power = 1;
    std::uint64_t chunk = 0;
    for (const char digit : digits.substr(0, count)) {
      power *= 10;
      chunk = chunk * 10 + static_cast<std::uint64_t>(digit - '0');
    }
    multiply_add(limbs, power, chunk);
    digits.remove_prefix(count);
  }
  if (limbs.empty()) {
    return "0";
  }
  std::string text = hex(negative, limbs.back());
  for (std::size_t i = limbs.size() - 1; i-- > 0;) {
    const std::string part = hex(false, limbs[i]);
    text += std::string(16 - part.size(), '0') + part;
  }
  return text;
}

std::optional<double> special_float(const Json& value) {
  if (value == "nan") {
    return std::numeric_limits<double>::quiet_NaN();
  }
  if (value == "inf" || value == "-inf") {
    return value == "inf" ? HUGE_VAL : -HUGE_VAL;
  }
  return std::nullopt;
}

// What stands under `key` where it is the object's only one; null otherwise.
const Json* tagged(const Json& value, const char* key) {
  if (!value.is_object() || value.size() != 1) {
    return nullptr;
  }
  const auto found = value.find(key);
  return found == value.end() ? nullptr : &*found;
}

TypedValue leaf(ValueKind kind, std::string text) {
  TypedValue made;
  made.kind = kind;
  made.text = std::move(text);
  return made;
}

TypedValue truth(bool value) {
  TypedValue made;
  made.kind = ValueKind::kBool;
  made.truth = value;
  return made;
}

TypedValue number(double value) {
  TypedValue made;
  made.kind = ValueKind::kFloat;
  made.number = value;
  return made;
}

std::optional<TypedValue> integer(const Json& value) {
  if (value.is_number_integer()) {
    return leaf(ValueKind::kInt, hex_of(value));
  }
  const Json* digits = tagged(value, "__int__");
  const auto text =
      digits != nullptr && digits->is_string() ? hex_of_decimal(digits->get_ref<const std::string&>()) : std::nullopt;
  return text ? std::optional(leaf(ValueKind::kInt, *text)) : std::nullopt;
}

std::optional<TypedValue> floating(const Json& value) {
  const Json* tag = tagged(value, "__float__");
  if (value.is_number()) {
    return number(value.get<double>());
  }
  const auto special = special_float(tag != nullptr ? *tag : value);
  return special ? std::optional(number(*special)) : std::nullopt;
}

std::optional<TypedValue> bytes(const Json& value) {
  if (value.is_string()) {
    return leaf(ValueKind::kBytes, value.get<std::string>());
  }
  const Json* coded = tagged(value, "__bytes__");
  const auto text = coded != nullptr ? bytes_from_json({{"base64", *coded}}) : Result<std::string>(Error{""});
  return text ? std::optional(leaf(ValueKind::kBytes, *text)) : std::nullopt;
}

// Items of `elements`, each of the type that `type_of(index)` gives.
template <typename TypeOf>
std::optional<TypedValue> items(ValueKind kind, const Json& elements, TypeOf type_of) {
  if (!elements.is_array()) {
    return std::nullopt;
  }
  TypedValue made;
  made.kind = kind;
  for (std::size_t i = 0; i < elements.size(); ++i) {
    auto item = typed_value(elements[i], type_of(i));
    if (!item) {
      return std::nullopt;
    }
    made.items.push_back(std::move(*item));
  }
  return made;
}

// Pairs of key and value, or an object whose keys are texts or the digits of integers.
std::optional<TypedValue> dict(const Json& value, const TaskType& key_type, const TaskType& value_type) {
  TypedValue made;
  made.kind = ValueKind::kDict;
  const auto add = [&](const Json& key, const Json& entry) {
    auto one = typed_value(key, key_type);
    if (!one && key.is_string()) {
      one = typed_value({{"__int__", key}}, key_type);
    }
    auto other = typed_value(entry, value_type);
    const bool good = one && other;
    if (good) {
      made.items.push_back(std::move(*one));
      made.items.push_back(std::move(*other));
    }
    return good;
  };
  if (value.is_array()) {
    const bool all = std::all_of(value.begin(), value.end(), [&](const Json& pair) {
      return pair.is_array() && pair.size() == 2 && add(pair[0], pair[1]);
    });
    return all ? std::optional(std::move(made)) : std::nullopt;
  }
  if (!value.is_object()) {
    return std::nullopt;
  }
  for (const auto& [key, entry] : value.items()) {
    if (!add(Json(key), entry)) {
      return std::nullopt;
    }
  }
  return made;
}

std::optional<TypedValue> untyped(const Json& value) {
  static const TaskType any{"any", {}};
  const auto any_of = [](std::size_t) -> const TaskType& { return any; };
  switch (value.type()) {
    case Json::value_t::null:
      return TypedValue();
    case Json::value_t::boolean:
      return truth(value.get<bool>());
    case Json::value_t::number_integer:
    case Json::value_t::number_unsigned:
      return integer(value);
    case Json::value_t::number_float:
      return number(value.get<double>());
    case Json::value_t::string:
      return leaf(ValueKind::kText, value.get<std::string>());
    case Json::value_t::array:
      return items(ValueKind::kList, value, any_of);
    default:
      break;
  }
  if (const Json* elements = tagged(value, "__tuple__")) {
    return items(ValueKind::kTuple, *elements, any_of);
  }
  if (const Json* elements = tagged(value, "__set__")) {
    return items(ValueKind::kSet, *elements, any_of);
  }
  if (const Json* pairs = tagged(value, "__dict__")) {
    return dict(*pairs, any, any);
  }
  for (const auto& read : {integer, floating, bytes}) {
    if (auto made = read(value)) {
      return made;
    }
  }
  static const TaskType text{"str", {}};
  return dict(value, text, any);
}

std::optional<TypedValue> composed(const Json& value, const TaskType& type) {
  const auto first = [&](std::size_t) -> const TaskType& { return type.parts[0]; };
  if (type.name == "list") {
    return items(ValueKind::kList, value, first);
  }
  if (type.name == "set") {
    const Json* elements = tagged(value, "__set__");
    return items(ValueKind::kSet, elements != nullptr ? *elements : value, first);
  }
  if (type.name == "tuple") {
    const Json* tag = tagged(value, "__tuple__");
    const Json& elements = tag != nullptr ? *tag : value;
    if (!elements.is_array() || elements.size() != type.parts.size()) {
      return std::nullopt;
    }
    return items(ValueKind::kTuple, elements, [&](std::size_t i) -> const TaskType& { return type.parts[i]; });
  }
  if (type.name == "dict") {
    const Json* pairs = tagged(value, "__dict__");
    return dict(pairs != nullptr ? *pairs : value, type.parts[0], type.parts[1]);
  }
  return value.is_null() ? std::optional(TypedValue()) : typed_value(value, type.parts[0]);  // optional
}

// Integers of more digits than a double has powers of ten are an error to nlohmann before anybody is asked: they become
// {"__int__": "digits"} in the text. What is no JSON stays none: digits stand for a number wherever they are no text.
// Empty where there are none.
std::string with_long_integers_tagged(std::string_view text) {
  constexpr std::size_t kLong = 300;
  std::string tagged;
  std::size_t done = 0;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == '"') {
      for (++at; at < text.size() && text[at] != '"'; ++at) {
        at += text[at] == '\\' ? 1 : 0;
      }
      ++at;
      continue;
    }
    const std::size_t end = std::min(text.find_first_not_of("+-.0123456789eE", at), text.size());
    const std::string_view number = text.substr(at, end - at);
    const std::string_view digits = number.substr(number.starts_with('-') ? 1 : 0);
    if (digits.size() > kLong && digits[0] != '0' && digits.find_first_of("+-.eE") == std::string_view::npos) {
      tagged.append(text.substr(done, at - done)).append("{\"__int__\":\"").append(number).append("\"}");
      done = end;
    }
    at = std::max(end, at + 1);
  }
  return done == 0 ? std::string() : tagged.append(text.substr(done));
}

// nlohmann's own events, but for integers that its 64 bits cannot hold.
class ExactSax : public nlohmann::json_sax<Json> {
 public:
  explicit ExactSax(Json& root) : root_(root) {}

  bool null() override { return put(nullptr); }
  bool boolean(bool value) override { return put(value); }
  bool number_integer(number_integer_t value) override { return put(value); }
  bool number_unsigned(number_unsigned_t value) override { return put(value); }
  bool number_float(number_float_t value, const string_t& text) override {
    return text.find_first_of(".eE") == std::string::npos ? put({{"__int__", text}}) : put(value);
  }
  bool string(string_t& value) override { return put(std::move(value)); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(Json::object()); }
  bool key(string_t& name) override {
    key_ = name;
    return true;
  }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_array() override { return close(); }
  bool parse_error(std::size_t, const std::string&, const Json::exception&) override { return false; }

 private:
  Json* place(Json value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    if (open_.back()->is_array()) {
      open_.back()->push_back(std::move(value));
      return &open_.back()->back();
    }
    return &((*open_.back())[key_] = std::move(value));
  }
  bool put(Json value) {
    place(std::move(value));
    return true;
  }
  bool open(Json value) {
    if (open_.size() >= kMaxJsonDepth) {
      return false;
    }
    open_.push_back(place(std::move(value)));
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  Json& root_;
  std::vector<Json*> open_;  // innermost last; a container does not move while it is open
  std::string key_;
};

}  // namespace

std::optional<TypedValue> typed_value(const Json& value, const TaskType& type) {
  if (type.name == "any" || type.name == "auto") {
    return untyped(value);
  }
  if (!type.parts.empty()) {
    return composed(value, type);
  }
  if (type.name == "int") {
    return integer(value);
  }
  if (type.name == "float") {
    return floating(value);
  }
  if (type.name == "bytes") {
    return bytes(value);
  }
  const bool fits = type.name == "bool"  ? value.is_boolean()
                    : type.name == "str" ? value.is_string()
                                         : type.name == "none" && value.is_null();
  return fits ? untyped(value) : std::nullopt;
}

bool fits_int32(const TypedValue& value) {
  const bool negative = value.text.starts_with('-');
  const std::string digits = value.text.substr(negative ? 1 : 0);
  return digits.size() < kInt32Digits ||
         (digits.size() == kInt32Digits && digits <= (negative ? "80000000" : "7fffffff"));
}

Json parse_exact_json(std::string_view text) {
  Json root;
  ExactSax sax(root);
  const std::string tagged = with_long_integers_tagged(text);
  return Json::sax_parse(tagged.empty() ? text : tagged, &sax) ? root : Json(Json::value_t::discarded);
}

}  // namespace plumb
