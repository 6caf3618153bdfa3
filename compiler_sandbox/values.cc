#include "compiler_sandbox/values.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <optional>

namespace plumb {

namespace {

constexpr double kRelativeTolerance = 1e-9;
constexpr double kAbsoluteTolerance = 1e-12;
constexpr int kMaxDepth = 64;

std::string_view element_type(std::string_view type) {
  return type.starts_with("list[") && type.ends_with("]") ? type.substr(5, type.size() - 6) : std::string_view();
}

// A float written as text, as JSON has no word for it.
std::optional<double> special_float(const nlohmann::json& value) {
  if (value == "nan") {
    return std::numeric_limits<double>::quiet_NaN();
  }
  if (value == "inf" || value == "-inf") {
    return value == "inf" ? HUGE_VAL : -HUGE_VAL;
  }
  return std::nullopt;
}

std::string hex(bool negative, std::uint64_t magnitude) {
  char buffer[24];
  const auto end = std::to_chars(buffer, buffer + sizeof(buffer), magnitude, 16);
  return (negative && magnitude != 0 ? "-" : "") + std::string(buffer, end.ptr);
}

std::string hex_of(const nlohmann::json& integer) {
  if (integer.is_number_unsigned()) {
    return hex(false, integer.get<std::uint64_t>());
  }
  const auto value = integer.get<std::int64_t>();
  return hex(value < 0, value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value));
}

std::string float_text(double value) {
  char buffer[64];
  std::snprintf(buffer, sizeof(buffer), "%a", value);
  return std::string("d") + buffer + ";";
}

bool fits_int(const nlohmann::json& value) {
  constexpr std::int64_t kMax = std::numeric_limits<int>::max();
  if (value.is_number_unsigned()) {
    return value.get<std::uint64_t>() <= static_cast<std::uint64_t>(kMax);
  }
  const auto number = value.get<std::int64_t>();
  return number >= std::numeric_limits<int>::min() && number <= kMax;
}

bool encode(const nlohmann::json& value, std::string_view type, Language language, std::string& text) {
  if (const std::string_view element = element_type(type); !element.empty()) {
    if (!value.is_array()) {
      return false;
    }
    text += "l" + std::to_string(value.size()) + ":";
    return std::all_of(value.begin(), value.end(),
                       [&](const auto& one) { return encode(one, element, language, text); });
  }
  if (type == "bool" && value.is_boolean()) {
    text += value.get<bool>() ? "t" : "f";
  } else if (type == "int" && value.is_number_integer() && (language != Language::kCpp || fits_int(value))) {
    text += "i" + hex_of(value) + ";";
  } else if (type == "float" && value.is_number()) {
    text += float_text(value.get<double>());
  } else if (const auto special = special_float(value); type == "float" && special) {
    text += float_text(*special);
  } else if (type == "str" && value.is_string()) {
    const auto& bytes = value.get_ref<const std::string&>();
    text += "s" + std::to_string(bytes.size()) + ":" + bytes;
  } else {
    return false;
  }
  return true;
}

// Walks one encoded value beside the expected one. Bytes of the candidate decide nothing but equal or not.
class Comparer {
 public:
  explicit Comparer(std::string_view text) : text_(text) {}

  Comparison run(const nlohmann::json& expected, std::string_view type) {
    const bool same = value(&expected, type, 0);
    if (malformed_ || place_ != text_.size()) {
      return Comparison::kMalformed;
    }
    return same ? Comparison::kEqual : Comparison::kDifferent;
  }

 private:
  // `expected` null: the value is walked over only.
  bool value(const nlohmann::json* expected, std::string_view type, int depth) {
    const char kind = place_ < text_.size() && depth < kMaxDepth ? text_[place_++] : '\0';
    switch (kind) {
      case 'n':
        return expected != nullptr && expected->is_null();
      case 't':
      case 'f':
        return expected != nullptr && expected->is_boolean() && expected->get<bool>() == (kind == 't');
      case 'i':
        return integer(expected, type);
      case 'd':
        return floating(expected, type);
      case 's':
        return text(expected, type);
      case 'l':
      case 'u':
        return list(expected, type, depth, kind == 'l');
      default:
        return fail();
    }
  }

  bool integer(const nlohmann::json* expected, std::string_view type) {
    const std::string_view digits = until(';');
    const bool good = !digits.empty() && digits.find_first_not_of("-0123456789abcdef") == std::string_view::npos;
    if (!good) {
      return fail();
    }
    return expected != nullptr && type != "float" && expected->is_number_integer() && digits == hex_of(*expected);
  }

  bool floating(const nlohmann::json* expected, std::string_view type) {
    const std::string digits(until(';'));
    char* end = nullptr;
    const double got = std::strtod(digits.c_str(), &end);
    if (digits.empty() || digits.size() > 64 || end != digits.c_str() + digits.size()) {
      return fail();
    }
    if (expected == nullptr) {
      return false;
    }
    const bool is_float = expected->is_number_float() || (type == "float" && expected->is_number());
    const auto special = type == "float" ? special_float(*expected) : std::nullopt;
    if (!is_float && !special) {
      return false;
    }
    const double want = special ? *special : expected->get<double>();
    if (std::isnan(want) || std::isnan(got)) {
      return std::isnan(want) && std::isnan(got);
    }
    if (std::isinf(want) || std::isinf(got)) {
      return want == got;
    }
    const double scale = std::max(std::fabs(want), std::fabs(got));
    return std::fabs(want - got) <= std::max(kRelativeTolerance * scale, kAbsoluteTolerance);
  }

  bool text(const nlohmann::json* expected, std::string_view type) {
    const std::size_t size = count();
    if (malformed_ || size > text_.size() - place_) {
      return fail();
    }
    const std::string_view bytes = text_.substr(place_, size);
    place_ += size;
    const bool is_text = expected != nullptr && type != "float" && expected->is_string();
    return is_text && bytes == expected->get_ref<const std::string&>();
  }

  bool list(const nlohmann::json* expected, std::string_view type, int depth, bool is_list) {
    const std::size_t size = count();
    bool same = is_list && expected != nullptr && expected->is_array() && expected->size() == size;
    for (std::size_t i = 0; i < size && !malformed_; ++i) {
      const bool equal = value(same ? &(*expected)[i] : nullptr, element_type(type), depth + 1);
      same = same && equal;
    }
    return same;
  }

  std::size_t count() {
    const std::string_view digits = until(':');
    std::size_t size = 0;
    const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), size);
    if (digits.empty() || result.ptr != digits.data() + digits.size() || result.ec != std::errc()) {
      fail();
      return 0;
    }
    return size;
  }

  std::string_view until(char stop) {
    const std::size_t end = text_.find(stop, place_);
    if (end == std::string_view::npos) {
      fail();
      return {};
    }
    const std::string_view part = text_.substr(place_, end - place_);
    place_ = end + 1;
    return part;
  }

  bool fail() {
    malformed_ = true;
    return false;
  }

  std::string_view text_;
  std::size_t place_ = 0;
  bool malformed_ = false;
};

}  // namespace

Result<std::string> encode_arguments(const nlohmann::json& args, const FunctionSignature& function, Language language) {
  if (!args.is_array() || args.size() != function.parameters.size()) {
    return Error{"the call of " + function.name + " needs an array of " + std::to_string(function.parameters.size()) +
                 " arguments"};
  }
  std::string text;
  for (std::size_t i = 0; i < args.size(); ++i) {
    const Parameter& parameter = function.parameters[i];
    if (!encode(args[i], parameter.type, language, text)) {
      return Error{"argument " + parameter.name + " of " + function.name + " does not fit the type " + parameter.type};
    }
  }
  return text;
}

Comparison compare_value(std::string_view encoded, const nlohmann::json& expected, std::string_view type) {
  return Comparer(encoded).run(expected, type);
}

}  // namespace plumb
