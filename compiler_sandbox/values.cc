#include "compiler_sandbox/values.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

#include "compiler_sandbox/drivers.h"
#include "compiler_sandbox/value_reader.h"

namespace plumb {

namespace {

constexpr double kRelativeTolerance = 1e-9;
constexpr double kAbsoluteTolerance = 1e-12;
constexpr double kSingleTolerance = 1e-5;

std::string float_text(double value) {
  char buffer[64];
  std::snprintf(buffer, sizeof(buffer), "%a", value);
  return std::string("d") + buffer + ";";
}

std::string counted(char letter, std::size_t size) {
  return letter + std::to_string(size) + ":";
}

std::string encoded(const TypedValue& value) {
  std::string text;
  encode_value(value, text);
  return text;
}

// Keys of a dict, or elements of a set, each once, in the order of their texts. `step`: 2 for a dict.
struct Entry {
  std::string key;
  const TypedValue* value = nullptr;  // of a dict
};
std::vector<Entry> sorted_entries(const TypedValue& value, std::size_t step) {
  std::vector<Entry> entries;
  for (std::size_t i = 0; i + step <= value.items.size(); i += step) {
    entries.push_back({encoded(value.items[i]), step == 2 ? &value.items[i + 1] : nullptr});
  }
  std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.key < b.key; });
  entries.erase(
      std::unique(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.key == b.key; }),
      entries.end());
  return entries;
}

bool close(double got, double want, double relative) {
  if (std::isnan(want) || std::isnan(got)) {
    return std::isnan(want) && std::isnan(got);
  }
  if (std::isinf(want) || std::isinf(got)) {
    return want == got;
  }
  const double scale = std::max(std::fabs(want), std::fabs(got));
  return std::fabs(want - got) <= std::max(relative * scale, kAbsoluteTolerance);
}

// Walks one encoded value beside the expected one. Bytes of the candidate decide nothing but equal or not.
class Comparer {
 public:
  Comparer(std::string_view text, bool lenient) : reader_(text), lenient_(lenient) {}

  Comparison run(const TypedValue& expected) {
    const bool same = value(&expected, 0);
    if (reader_.failed() || !reader_.at_end()) {
      return Comparison::kMalformed;
    }
    return same ? Comparison::kEqual : Comparison::kDifferent;
  }

 private:
  // `expected` null: the value is walked over only.
  bool value(const TypedValue* expected, int depth) {
    if (expected == nullptr || depth >= ValueReader::kMaxDepth) {
      reader_.skip(depth);
      return false;
    }
    const char kind = reader_.kind();
    switch (kind) {
      case 'n':
        return expected->kind == ValueKind::kNone;
      case 't':
      case 'f':
        return expected->kind == ValueKind::kBool && expected->truth == (kind == 't');
      case 'i': {
        const std::string_view digits = reader_.digits();
        return is_hex_integer(digits) ? expected->kind == ValueKind::kInt && digits == expected->text : reader_.fail();
      }
      case 'd':
      case 'g': {
        double got = 0;
        if (!read_float(reader_.digits(), got)) {
          return reader_.fail();
        }
        const double tolerance = kind == 'g' && lenient_ ? kSingleTolerance : kRelativeTolerance;
        return expected->kind == ValueKind::kFloat && close(got, expected->number, tolerance);
      }
      case 's':
      case 'b': {
        const std::string_view bytes = reader_.bytes(reader_.count());
        const bool of_kind = expected->kind == (kind == 's' ? ValueKind::kText : ValueKind::kBytes);
        return !reader_.failed() && of_kind && bytes == expected->text;
      }
      case 'l':
      case 'u':
        return sequence(*expected, kind == 'l' ? ValueKind::kList : ValueKind::kTuple, depth);
      case 'e':
        return set(*expected, depth);
      case 'm':
        return dict(*expected, depth);
      default:
        return false;
    }
  }

  bool sequence(const TypedValue& expected, ValueKind kind, int depth) {
    const std::size_t size = reader_.count();
    if (lenient_ && expected.kind == ValueKind::kSet) {
      return unordered(expected, size, depth);
    }
    const bool ordered = expected.kind == ValueKind::kList || expected.kind == ValueKind::kTuple;
    bool same = (expected.kind == kind || (lenient_ && ordered)) && expected.items.size() == size;
    for (std::size_t i = 0; i < size && !reader_.failed(); ++i) {
      const bool equal = value(same ? &expected.items[i] : nullptr, depth + 1);
      same = same && equal;
    }
    return same;
  }

  bool set(const TypedValue& expected, int depth) {
    const std::size_t size = reader_.count();
    const bool sequence = expected.kind == ValueKind::kList || expected.kind == ValueKind::kTuple;
    const bool fits = expected.kind == ValueKind::kSet || (lenient_ && sequence);
    return unordered(fits ? expected : TypedValue(), size, depth) && fits;
  }

  // The elements as a multitude. Their texts are compared: each value has one.
  bool unordered(const TypedValue& expected, std::size_t size, int depth) {
    std::vector<std::string> want;
    for (const TypedValue& item : expected.items) {
      want.push_back(encoded(item));
    }
    std::sort(want.begin(), want.end());
    if (expected.kind == ValueKind::kSet) {
      want.erase(std::unique(want.begin(), want.end()), want.end());
    }
    const bool same_size = want.size() == size;
    std::vector<std::string_view> got;
    for (std::size_t i = 0; i < size && !reader_.failed(); ++i) {
      const std::string_view text = reader_.skip(depth + 1);
      if (same_size) {
        got.push_back(text);
      }
    }
    std::sort(got.begin(), got.end());
    return same_size && !reader_.failed() && std::equal(got.begin(), got.end(), want.begin(), want.end());
  }

  bool dict(const TypedValue& expected, int depth) {
    const std::size_t size = reader_.count();
    const bool is_dict = expected.kind == ValueKind::kDict;
    const std::vector<Entry> want = is_dict ? sorted_entries(expected, 2) : std::vector<Entry>();
    std::vector<bool> seen(want.size());
    bool same = is_dict && want.size() == size;
    for (std::size_t i = 0; i < size && !reader_.failed(); ++i) {
      const std::string_view key = reader_.skip(depth + 1);
      const auto found = std::lower_bound(want.begin(), want.end(), key,
                                          [](const Entry& entry, std::string_view text) { return entry.key < text; });
      const auto place = static_cast<std::size_t>(found - want.begin());
      same = same && !reader_.failed() && found != want.end() && found->key == key && !seen[place];
      const bool equal = value(same ? found->value : nullptr, depth + 1);
      same = same && equal;
      if (same) {
        seen[place] = true;
      }
    }
    return same;
  }

  ValueReader reader_;
  bool lenient_;
};

bool fits_language(const TypedValue& value, const TaskType& type, Language language) {
  if (language != Language::kCpp || type.name == "auto") {
    return true;
  }
  return (value.kind != ValueKind::kInt || fits_int32(value)) &&
         std::all_of(value.items.begin(), value.items.end(),
                     [&](const TypedValue& item) { return fits_language(item, type, language); });
}

}  // namespace

void encode_value(const TypedValue& value, std::string& text) {
  switch (value.kind) {
    case ValueKind::kNone:
      text += 'n';
      return;
    case ValueKind::kBool:
      text += value.truth ? 't' : 'f';
      return;
    case ValueKind::kInt:
      text += "i" + value.text + ";";
      return;
    case ValueKind::kFloat:
      text += float_text(value.number);
      return;
    case ValueKind::kText:
    case ValueKind::kBytes:
      text += counted(value.kind == ValueKind::kText ? 's' : 'b', value.text.size()) + value.text;
      return;
    case ValueKind::kList:
    case ValueKind::kTuple:
      text += counted(value.kind == ValueKind::kList ? 'l' : 'u', value.items.size());
      for (const TypedValue& item : value.items) {
        encode_value(item, text);
      }
      return;
    case ValueKind::kSet:
    case ValueKind::kDict: {
      const bool is_set = value.kind == ValueKind::kSet;
      const std::vector<Entry> entries = sorted_entries(value, is_set ? 1 : 2);
      text += counted(is_set ? 'e' : 'm', entries.size());
      for (const Entry& entry : entries) {
        text += entry.key;
        if (!is_set) {
          encode_value(*entry.value, text);
        }
      }
      return;
    }
  }
}

Result<std::string> encode_arguments(const nlohmann::json& args, const FunctionSignature& function, Language language) {
  if (!args.is_array() || args.size() != function.parameters.size()) {
    return Error{"the call of " + function.name + " needs an array of " + std::to_string(function.parameters.size()) +
                 " arguments"};
  }
  std::string text;
  for (std::size_t i = 0; i < args.size(); ++i) {
    const Parameter& parameter = function.parameters[i];
    const auto type = parse_task_type(is_own_cpp_type(parameter.type) ? "auto" : parameter.type);
    const auto value = type ? typed_value(args[i], *type) : std::nullopt;
    if (!value || !fits_language(*value, *type, language)) {
      return Error{"argument " + parameter.name + " of " + function.name + " does not fit the type " + parameter.type};
    }
    encode_value(*value, text);
  }
  return text;
}

Comparison compare_value(std::string_view encoded, const nlohmann::json& expected, std::string_view type) {
  static const TaskType any{"any", {}};
  const auto declared = parse_task_type(is_own_cpp_type(type) ? "auto" : type);
  auto want = declared ? typed_value(expected, *declared) : std::nullopt;
  if (!want) {  // an expected value that is not of the declared type equals no value of that type
    want = typed_value(expected, any);
  }
  return Comparer(encoded, declared && mentions(*declared, "auto")).run(want ? *want : TypedValue());
}

bool is_well_formed(std::string_view encoded, std::size_t count) {
  ValueReader reader(encoded);
  for (std::size_t i = 0; i < count && !reader.failed(); ++i) {
    reader.skip();
  }
  return !reader.failed() && reader.at_end();
}

}  // namespace plumb
