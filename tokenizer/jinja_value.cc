#include "tokenizer/jinja_value.h"

#include <utf8proc.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "tokenizer/jinja_parser.h"
#include "tokenizer/unicode.h"

namespace plumb {
namespace {

[[noreturn]] void wrong(std::string_view what, const char* wanted, const JinjaValue& value) {
  throw JinjaFailure{std::string(what) + " needs " + wanted + ", not " + value.type_name()};
}

// How deep lists may nest in lists.
constexpr std::int16_t kMaxDepth = 200;

std::int16_t one_deeper(std::int16_t depth) {
  if (depth >= kMaxDepth) {
    throw JinjaFailure{"values nest more than " + std::to_string(kMaxDepth) + " deep"};
  }
  return static_cast<std::int16_t>(depth + 1);
}

std::uint32_t heavier(std::uint32_t weight, std::uint32_t by) {
  constexpr std::uint32_t kMaxWeight = 1U << 20;
  if (by > kMaxWeight - std::min(weight, kMaxWeight)) {
    throw JinjaFailure{"a value holds too much"};
  }
  return weight + by;
}

// Python shows letters, marks, numbers, punctuation, symbols and the plain space as they are, other characters by code.
bool is_printable(char32_t code) {
  const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(code));
  return code == ' ' || (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_SO);
}

void append_code(std::string& out, char32_t code) {
  constexpr std::string_view kHex = "0123456789abcdef";
  const int digits = code < 0x100 ? 2 : code < 0x10000 ? 4 : 8;
  out += digits == 2 ? "\\x" : digits == 4 ? "\\u" : "\\U";
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) {
    out += kHex[code >> shift & 0xFU];
  }
}

// Python prefers single quotes, unless only they occur in the text.
std::string quoted(const std::string& text) {
  const bool has_single = text.find('\'') != std::string::npos;
  const char quote = has_single && text.find('"') == std::string::npos ? '"' : '\'';
  std::string out(1, quote);
  for (const std::string_view character : jinja_characters(text)) {
    const DecodedChar c = decode_char(character);
    if (character[0] == quote || character[0] == '\\') {
      out += '\\';
      out += character;
    } else if (character == "\n" || character == "\r" || character == "\t") {
      out += character == "\n" ? "\\n" : character == "\r" ? "\\r" : "\\t";
    } else if (c.well_formed && !is_printable(c.code)) {
      append_code(out, c.code);
    } else {
      out += character;
    }
  }
  return out + quote;
}

std::string repr_of_list(const JinjaList& list, bool is_tuple) {
  std::string out = is_tuple ? "(" : "[";
  for (std::size_t i = 0; i < list.size(); ++i) {
    out += (i > 0 ? ", " : "") + list[i].repr();
  }
  return out + (is_tuple ? (list.size() == 1 ? ",)" : ")") : "]");
}

std::string repr_of_dict(const JinjaDict& dict) {
  std::string out = "{";
  for (std::size_t i = 0; i < dict.size(); ++i) {
    out += (i > 0 ? ", " : "") + quoted(dict[i].first) + ": " + dict[i].second.repr();
  }
  return out + "}";
}

}  // namespace

void check_jinja_size(std::size_t size) {
  if (size > kMaxJinjaText) {
    throw JinjaFailure{"a text has more than " + std::to_string(kMaxJinjaText) + " bytes"};
  }
}

JinjaValue::JinjaValue(std::string value) : weight_(1 + static_cast<std::uint32_t>(value.size() / 64)) {
  check_jinja_size(value.size());
  value_ = std::make_shared<const std::string>(std::move(value));
}

JinjaValue::JinjaValue(JinjaList value, bool is_tuple) : is_tuple_(is_tuple) {
  for (const JinjaValue& item : value) {
    depth_ = std::max(depth_, one_deeper(item.depth_));
    weight_ = heavier(weight_, item.weight_);
  }
  value_ = std::make_shared<const JinjaList>(std::move(value));
}

JinjaValue::JinjaValue(JinjaDict value) {
  for (const auto& [key, item] : value) {
    depth_ = std::max(depth_, one_deeper(item.depth_));
    weight_ = heavier(weight_, item.weight_ + static_cast<std::uint32_t>(key.size() / 64));
  }
  value_ = std::make_shared<const JinjaDict>(std::move(value));
}

JinjaValue::JinjaValue(JinjaFunction value) : depth_(value.self ? one_deeper(value.self->depth_) : std::int16_t{0}) {
  value_ = std::move(value);
}

const std::string& JinjaValue::text(std::string_view what) const {
  if (const Text* text = get<Text>()) {
    return **text;
  }
  wrong(what, "a string", *this);
}

std::int64_t JinjaValue::integer(std::string_view what) const {
  if (const auto* truth = get<bool>()) {
    return *truth ? 1 : 0;
  }
  if (const auto* integer = get<std::int64_t>()) {
    return *integer;
  }
  wrong(what, "an integer", *this);
}

double JinjaValue::number(std::string_view what) const {
  if (const auto* number = get<double>()) {
    return *number;
  }
  if (is_integer()) {
    return static_cast<double>(integer(what));
  }
  wrong(what, "a number", *this);
}

bool JinjaValue::truth() const {
  if (is_undefined() || is_none()) {
    return false;
  }
  if (is_number()) {
    return number("") != 0;
  }
  if (is_text()) {
    return !text("").empty();
  }
  return list() != nullptr ? !list()->empty() : dict() == nullptr || !dict()->empty();
}

std::string JinjaValue::str() const {
  if (is_undefined()) {
    return {};
  }
  return is_text() ? text("") : repr();
}

std::string JinjaValue::repr() const {
  if (is_undefined()) {
    return "Undefined";
  }
  if (is_none()) {
    return "None";
  }
  if (const auto* truth = get<bool>()) {
    return *truth ? "True" : "False";
  }
  if (is_integer()) {
    return std::to_string(integer(""));
  }
  if (const auto* number = get<double>()) {
    return jinja_float(*number);
  }
  if (is_text()) {
    return quoted(text(""));
  }
  if (list() != nullptr) {
    return repr_of_list(*list(), is_tuple_);
  }
  return dict() != nullptr ? repr_of_dict(*dict()) : "<" + type_name() + ">";
}

JinjaList JinjaValue::items(std::string_view what) const {
  if (list() != nullptr) {
    return *list();
  }
  JinjaList items;
  if (dict() != nullptr) {
    for (const auto& [key, value] : *dict()) {
      items.emplace_back(key);
    }
  } else if (is_text()) {
    constexpr std::size_t kMaxBytes = 1 << 20;
    if (text("").size() > kMaxBytes) {
      throw JinjaFailure{std::string(what) + " goes through the characters of more than 2^20 bytes of text"};
    }
    for (const std::string_view character : jinja_characters(text(""))) {
      items.emplace_back(std::string(character));
    }
  } else if (!is_undefined()) {
    wrong(what, "something to go through", *this);
  }
  return items;
}

std::string JinjaValue::type_name() const {
  constexpr const char* kNames[] = {
      "an undefined value", "None",         "bool",    "int", "float", "str", "list", "dict", "macro",
      "namespace",          "loop context", "function"};
  if (const auto* undefined = get<JinjaUndefined>()) {
    return "the undefined '" + undefined->name + "'";
  }
  return kNames[value_.index()];
}

bool jinja_equal(const JinjaValue& a, const JinjaValue& b) {
  if (a.is_number() && b.is_number()) {
    return a.is_integer() && b.is_integer() ? a.integer("") == b.integer("") : a.number("") == b.number("");
  }
  if (a.is_text() && b.is_text()) {
    return a.text("") == b.text("");
  }
  if (a.list() != nullptr && b.list() != nullptr) {
    return a.is_tuple() == b.is_tuple() && std::ranges::equal(*a.list(), *b.list(), jinja_equal);
  }
  if (a.dict() != nullptr && b.dict() != nullptr) {
    return a.dict()->size() == b.dict()->size() && std::ranges::all_of(*a.dict(), [&](const auto& entry) {
             const JinjaValue* other = jinja_find(*b.dict(), entry.first);
             return other != nullptr && jinja_equal(entry.second, *other);
           });
  }
  if (const auto* macro = a.get<JinjaMacro>()) {
    return b.get<JinjaMacro>() != nullptr && *macro == *b.get<JinjaMacro>();
  }
  if (auto* const* space = a.get<JinjaNamespace*>()) {
    return b.get<JinjaNamespace*>() != nullptr && *space == *b.get<JinjaNamespace*>();
  }
  return (a.is_none() && b.is_none()) || (a.is_undefined() && b.is_undefined());
}

bool jinja_less(const JinjaValue& a, const JinjaValue& b) {
  if (a.is_number() && b.is_number()) {
    return a.is_integer() && b.is_integer() ? a.integer("") < b.integer("") : a.number("") < b.number("");
  }
  if (a.is_text() && b.is_text()) {
    return a.text("") < b.text("");  // the order of UTF-8 is that of code points
  }
  if (a.list() != nullptr && b.list() != nullptr && a.is_tuple() == b.is_tuple()) {
    const auto [left, right] = std::ranges::mismatch(*a.list(), *b.list(), jinja_equal);
    return right != b.list()->end() && (left == a.list()->end() || jinja_less(*left, *right));
  }
  throw JinjaFailure{a.type_name() + " and " + b.type_name() + " have no order"};
}

bool jinja_contains(const JinjaValue& container, const JinjaValue& item) {
  if (container.is_text()) {
    return container.text("").find(item.text("'in' a string")) != std::string::npos;
  }
  if (container.dict() != nullptr) {
    return item.is_text() && jinja_find(*container.dict(), item.text("")) != nullptr;
  }
  if (container.list() != nullptr) {
    return std::ranges::any_of(*container.list(), [&](const JinjaValue& one) { return jinja_equal(one, item); });
  }
  if (!container.is_undefined()) {
    wrong("'in'", "a container", container);
  }
  return false;
}

const JinjaValue* jinja_find(const JinjaDict& dict, std::string_view key) {
  const auto found = std::ranges::find(dict, key, &JinjaDict::value_type::first);
  return found == dict.end() ? nullptr : &found->second;
}

void jinja_set(JinjaDict& dict, const std::string& key, JinjaValue value) {
  const auto found = std::ranges::find(dict, key, &JinjaDict::value_type::first);
  if (found == dict.end()) {
    dict.emplace_back(key, std::move(value));
  } else {
    found->second = std::move(value);
  }
}

std::vector<std::string_view> jinja_characters(std::string_view text) {
  std::vector<std::string_view> characters;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = decode_char(text.substr(at)).size;
    characters.push_back(text.substr(at, size));
    at += size;
  }
  return characters;
}

std::size_t jinja_length(std::string_view text) {
  std::size_t length = 0;
  for (std::size_t at = 0; at < text.size(); ++length) {
    at += decode_char(text.substr(at)).size;
  }
  return length;
}

}  // namespace plumb
