// One encoded value beside the expected one.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <limits>
#include <optional>
#include <vector>

#include "compiler_sandbox/drivers.h"
#include "compiler_sandbox/value_reader.h"
#include "compiler_sandbox/values.h"

namespace plumb {

namespace {

constexpr double kRelativeTolerance = 1e-9;
constexpr double kAbsoluteTolerance = 1e-12;
constexpr double kSingleTolerance = 1e-5;

// Of a set's elements that hold floats and are no floats, so many may differ by less than the tolerance.
constexpr std::size_t kMostMatched = 64;

std::string encoded(const TypedValue& value) {
  std::string text;
  encode_value(value, text);
  return text;
}

bool holds_floats(const TypedValue& value) {
  return value.kind == ValueKind::kFloat || std::any_of(value.items.begin(), value.items.end(), holds_floats);
}

// An element of a set, or a dict's key and value; expected, and as the candidate gave it.
struct Wanted {
  std::string text;  // of the key
  const TypedValue* key = nullptr;
  const TypedValue* value = nullptr;  // of a dict
};
struct Given {
  std::string_view key;
  std::string_view value;
};

// Each key once, in the order of their texts. `step`: 2 for a dict.
std::vector<Wanted> wanted_entries(const TypedValue& expected, std::size_t step, bool unique) {
  std::vector<Wanted> entries;
  for (std::size_t i = 0; i + step <= expected.items.size(); i += step) {
    entries.push_back({encoded(expected.items[i]), &expected.items[i], step == 2 ? &expected.items[i + 1] : nullptr});
  }
  std::stable_sort(entries.begin(), entries.end(), [](const Wanted& a, const Wanted& b) { return a.text < b.text; });
  if (unique) {
    entries.erase(
        std::unique(entries.begin(), entries.end(), [](const Wanted& a, const Wanted& b) { return a.text == b.text; }),
        entries.end());
  }
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

// NaN, which has no place of its own, is the last of numbers.
double order_of(double number) {
  return std::isnan(number) ? std::numeric_limits<double>::infinity() : number;
}
double number_in(std::string_view text) {
  double number = 0;
  const bool is_float = text.starts_with('d') || text.starts_with('g');
  return is_float && read_float(text.substr(1, text.size() - 2), number) ? order_of(number) : 0;
}

// Whether each of `close_to`, a list of places, can have a place of its own (augmenting paths).
bool can_pair_off(const std::vector<std::vector<std::size_t>>& close_to, std::size_t num_places) {
  std::vector<std::optional<std::size_t>> owner(num_places);
  for (std::size_t i = 0; i < close_to.size(); ++i) {
    std::vector<bool> seen(num_places);
    const std::function<bool(std::size_t)> place = [&](std::size_t who) {
      for (const std::size_t at : close_to[who]) {
        if (!seen[at]) {
          seen[at] = true;
          if (!owner[at] || place(*owner[at])) {
            owner[at] = who;
            return true;
          }
        }
      }
      return false;
    };
    if (!place(i)) {
      return false;
    }
  }
  return true;
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
        return !reader_.failed() && is_text(*expected, kind, bytes);
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

  // Leniently, C++'s texts and bytes are the same, and bytes are a list of small integers.
  [[nodiscard]] bool is_text(const TypedValue& expected, char kind, std::string_view bytes) const {
    const bool text = expected.kind == ValueKind::kText;
    if (text || expected.kind == ValueKind::kBytes) {
      return (lenient_ || text == (kind == 's')) && bytes == expected.text;
    }
    if (!lenient_ || kind != 'b' || expected.kind != ValueKind::kList) {
      return false;
    }
    return std::equal(bytes.begin(), bytes.end(), expected.items.begin(), expected.items.end(),
                      [](char byte, const TypedValue& item) {
                        char digits[8];
                        std::snprintf(digits, sizeof(digits), "%x", static_cast<unsigned char>(byte));
                        return item.kind == ValueKind::kInt && item.text == digits;
                      });
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

  // The elements as a multitude.
  bool unordered(const TypedValue& expected, std::size_t size, int depth) {
    return match(wanted_entries(expected, 1, expected.kind == ValueKind::kSet), size, depth, false);
  }

  bool dict(const TypedValue& expected, int depth) {
    const std::size_t size = reader_.count();
    const bool is_dict = expected.kind == ValueKind::kDict;
    const auto want = is_dict ? wanted_entries(expected, 2, true) : std::vector<Wanted>();
    return match(want, size, depth, true) && is_dict;
  }

  // Reads `size` entries, and says whether each is equal to another one of `want`.
  bool match(std::vector<Wanted> want, std::size_t size, int depth, bool is_dict) {
    const bool same_size = want.size() == size;
    std::vector<Given> got;
    for (std::size_t i = 0; i < size && !reader_.failed(); ++i) {
      const std::string_view key = reader_.skip(depth + 1);
      const std::string_view value = is_dict ? reader_.skip(depth + 1) : std::string_view();
      if (same_size) {
        got.push_back({key, value});
      }
    }
    if (!same_size || reader_.failed()) {
      return false;
    }
    std::stable_sort(got.begin(), got.end(), [](const Given& a, const Given& b) { return a.key < b.key; });
    // What has the same text is the same; what is left over has to be close to each other.
    std::vector<Given> odd;
    std::vector<Wanted> left;
    auto next = want.begin();
    for (const Given& one : got) {
      for (; next != want.end() && next->text < one.key; ++next) {
        left.push_back(*next);
      }
      if (next == want.end() || next->text != one.key) {
        odd.push_back(one);
      } else if (!equal_values(one, *next++)) {
        return false;
      }
    }
    left.insert(left.end(), next, want.end());
    return odd.empty() || match_floats(odd, left);
  }

  // Their values in a dict, where the keys are equal.
  [[nodiscard]] bool equal_values(const Given& got, const Wanted& want) const {
    return want.value == nullptr || equal(got.value, *want.value);
  }
  [[nodiscard]] bool equal(std::string_view text, const TypedValue& expected) const {
    return Comparer(text, lenient_).run(expected) == Comparison::kEqual;
  }

  // Of equal size. Numbers are paired off in their order, which is a right pairing if there is one; other things that
  // hold floats each with any that is left.
  [[nodiscard]] bool match_floats(std::vector<Given>& got, std::vector<Wanted>& want) const {
    if (!std::all_of(want.begin(), want.end(), [](const Wanted& one) { return holds_floats(*one.key); })) {
      return false;
    }
    const auto same = [&](const Given& one, const Wanted& other) {
      return equal(one.key, *other.key) && equal_values(one, other);
    };
    if (std::all_of(want.begin(), want.end(), [](const Wanted& one) { return one.key->kind == ValueKind::kFloat; })) {
      std::sort(got.begin(), got.end(),
                [](const Given& a, const Given& b) { return number_in(a.key) < number_in(b.key); });
      std::sort(want.begin(), want.end(),
                [](const Wanted& a, const Wanted& b) { return order_of(a.key->number) < order_of(b.key->number); });
      return std::equal(got.begin(), got.end(), want.begin(), want.end(), same);
    }
    if (want.size() > kMostMatched) {
      return false;
    }
    std::vector<std::vector<std::size_t>> close_to(got.size());
    for (std::size_t i = 0; i < got.size(); ++i) {
      for (std::size_t j = 0; j < want.size(); ++j) {
        if (same(got[i], want[j])) {
          close_to[i].push_back(j);
        }
      }
    }
    return can_pair_off(close_to, want.size());
  }

  ValueReader reader_;
  bool lenient_;
};

}  // namespace

Comparison compare_value(std::string_view encoded, const nlohmann::json& expected, std::string_view type) {
  static const TaskType any{"any", {}};
  const auto declared = parse_task_type(is_own_cpp_type(type) ? "auto" : type);
  auto want = declared ? typed_value(expected, *declared) : std::nullopt;
  if (!want) {  // an expected value that is not of the declared type equals no value of that type
    want = typed_value(expected, any);
  }
  return Comparer(encoded, declared && mentions(*declared, "auto")).run(want ? *want : TypedValue());
}

}  // namespace plumb
