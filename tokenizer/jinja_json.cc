// Values from JSON and to it, and numbers as Python writes them.

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "tokenizer/jinja_parser.h"
#include "tokenizer/jinja_value.h"

namespace plumb {
namespace {

constexpr int kMaxDepth = 200;

struct JsonStyle {
  int indent = -1;
  bool sort_keys = false;
  std::string item_separator;
  std::string key_separator;
};

void append_text(std::string& out, const std::string& text) {
  out += '"';
  for (const char c : text) {
    constexpr std::string_view kSpecial = "\"\\\n\r\t\b\f";
    constexpr std::string_view kLetters = "\"\\nrtbf";
    const std::size_t special = kSpecial.find(c);
    if (special != std::string_view::npos) {
      out += '\\';
      out += kLetters[special];
    } else if (static_cast<unsigned char>(c) < 0x20) {
      constexpr std::string_view kHex = "0123456789abcdef";
      out += "\\u00";
      out += kHex[static_cast<unsigned char>(c) >> 4U];
      out += kHex[static_cast<unsigned char>(c) & 0xFU];
    } else {
      out += c;
    }
  }
  out += '"';
}

void append_line(std::string& out, const JsonStyle& style, int depth) {
  check_jinja_size(out.size());
  if (style.indent >= 0) {
    out += '\n';
    out.append(static_cast<std::size_t>(style.indent) * static_cast<std::size_t>(depth), ' ');
  }
}

void append_value(std::string& out, const JinjaValue& value, const JsonStyle& style, int depth);

template <typename Items, typename Append>
void append_items(std::string& out, const Items& items, const char* brackets, const JsonStyle& style, int depth,
                  const Append& append) {
  out += brackets[0];
  bool first = true;
  for (const auto& item : items) {
    out += first ? "" : style.item_separator;
    first = false;
    append_line(out, style, depth + 1);
    append(item);
  }
  if (!first) {
    append_line(out, style, depth);
  }
  out += brackets[1];
}

void append_value(std::string& out, const JinjaValue& value, const JsonStyle& style, int depth) {
  if (value.is_none()) {
    out += "null";
  } else if (const auto* truth = value.get<bool>()) {
    out += *truth ? "true" : "false";
  } else if (value.is_integer()) {
    out += std::to_string(value.integer(""));
  } else if (const auto* number = value.get<double>()) {
    out += std::isnan(*number)   ? "NaN"
           : std::isinf(*number) ? (*number > 0 ? "Infinity" : "-Infinity")
                                 : jinja_float(*number);
  } else if (value.is_text()) {
    append_text(out, value.text(""));
  } else if (value.list() != nullptr) {
    append_items(out, *value.list(), "[]", style, depth,
                 [&](const JinjaValue& item) { append_value(out, item, style, depth + 1); });
  } else if (value.dict() != nullptr) {
    JinjaDict dict = *value.dict();
    if (style.sort_keys) {
      std::ranges::sort(dict, {}, &JinjaDict::value_type::first);
    }
    append_items(out, dict, "{}", style, depth, [&](const JinjaDict::value_type& entry) {
      append_text(out, entry.first);
      out += style.key_separator;
      append_value(out, entry.second, style, depth + 1);
    });
  } else {
    throw JinjaFailure{"tojson cannot write " + value.type_name()};
  }
}

JinjaValue from_json(const nlohmann::ordered_json& json, int depth) {
  if (depth > kMaxDepth) {
    throw JinjaFailure{"the variables nest more than " + std::to_string(kMaxDepth) + " deep"};
  }
  switch (json.type()) {
    case nlohmann::json::value_t::boolean:
      return json.get<bool>();
    case nlohmann::json::value_t::number_integer:
      return json.get<std::int64_t>();
    case nlohmann::json::value_t::number_unsigned:
      return json.get<std::uint64_t>() <= INT64_MAX ? JinjaValue(json.get<std::int64_t>())
                                                    : JinjaValue(json.get<double>());
    case nlohmann::json::value_t::number_float:
      return json.get<double>();
    case nlohmann::json::value_t::string:
      return json.get<std::string>();
    case nlohmann::json::value_t::array: {
      JinjaList list;
      for (const auto& item : json) {
        list.push_back(from_json(item, depth + 1));
      }
      return list;
    }
    case nlohmann::json::value_t::object: {
      JinjaDict dict;
      for (const auto& [key, item] : json.items()) {
        dict.emplace_back(key, from_json(item, depth + 1));
      }
      return dict;
    }
    default:
      return {};
  }
}

}  // namespace

JinjaValue jinja_from_json(const nlohmann::ordered_json& json) {
  return from_json(json, 0);
}

std::string jinja_to_json(const JinjaValue& value, int indent, bool sort_keys, const std::string& item_separator,
                          const std::string& key_separator) {
  std::string out;
  append_value(out, value, {indent, sort_keys, item_separator, key_separator}, 0);
  return out;
}

// The shortest digits that read back the same; powers of ten from 1e16 on and below 1e-4 in scientific notation.
std::string jinja_float(double value) {
  if (!std::isfinite(value)) {
    return std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
  }
  std::array<char, 32> buffer{};
  const auto written =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::scientific);
  const std::string scientific(buffer.data(), written.ptr);
  const std::size_t e = scientific.find('e');
  const int exponent = std::stoi(scientific.substr(e + 1));
  if (exponent < -4 || exponent >= 16) {
    return scientific;
  }
  std::array<char, 64> fixed{};
  const auto end = std::to_chars(fixed.data(), fixed.data() + fixed.size(), value, std::chars_format::fixed);
  std::string text(fixed.data(), end.ptr);
  return text.find('.') == std::string::npos ? text + ".0" : text;
}

}  // namespace plumb
