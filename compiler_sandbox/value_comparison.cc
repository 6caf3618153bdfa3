// One encoded value beside the expected one.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <optional>
#include <vector>

#include "compiler_sandbox/drivers.h"
#include "compiler_sandbox/value_fingerprint.h"
#include "compiler_sandbox/value_pairing.h"
#include "compiler_sandbox/value_reader.h"
#include "compiler_sandbox/values.h"

namespace plumb {

namespace {

// What pairing off may cost: an honest answer costs about its own size for each set within a set. One that is made to
// cost more (many elements, each nearly equal to many others) is different from what is expected.
constexpr std::uint64_t kLeastBudget = 1 << 19;
constexpr std::uint64_t kBudgetOfAByte = 2;
constexpr std::uint64_t kBytesOfAnElement = 8;

std::string encoded(const TypedValue& value) {
  std::string text;
  encode_value(value, text);
  return text;
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

// In the order of the texts of their keys. `step`: 2 for a dict.
std::vector<Wanted> wanted_entries(const TypedValue& expected, std::size_t step) {
  std::vector<Wanted> entries;
  for (std::size_t i = 0; i + step <= expected.items.size(); i += step) {
    entries.push_back({encoded(expected.items[i]), &expected.items[i], step == 2 ? &expected.items[i + 1] : nullptr});
  }
  std::stable_sort(entries.begin(), entries.end(), [](const Wanted& a, const Wanted& b) { return a.text < b.text; });
  return entries;
}

// Leaves of each set's elements, and of each dict's keys, one that is the same.
void keep_each_once(TypedValue& expected) {
  std::for_each(expected.items.begin(), expected.items.end(), keep_each_once);
  if (expected.kind != ValueKind::kSet && expected.kind != ValueKind::kDict) {
    return;
  }
  const std::size_t step = expected.kind == ValueKind::kDict ? 2 : 1;
  std::vector<Wanted> entries = wanted_entries(expected, step);
  const auto end =
      std::unique(entries.begin(), entries.end(), [](const Wanted& a, const Wanted& b) { return a.text == b.text; });
  std::vector<TypedValue> items;
  for (auto entry = entries.begin(); entry != end; ++entry) {
    for (std::size_t i = 0; i < step; ++i) {
      items.push_back(entry->key[i]);  // a value stands behind its key
    }
  }
  expected.items = std::move(items);
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

// Walks one encoded value beside the expected one. Bytes of the candidate decide nothing but equal or not.
class Comparer {
 public:
  Comparer(std::string_view text, bool lenient, Budget& budget) : reader_(text), lenient_(lenient), budget_(budget) {}

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
  bool unordered(const TypedValue& expected, std::size_t size, int depth) { return match(expected, size, depth, 1); }

  bool dict(const TypedValue& expected, int depth) {
    const std::size_t size = reader_.count();
    const bool is_dict = expected.kind == ValueKind::kDict;
    return match(is_dict ? expected : TypedValue(), size, depth, 2) && is_dict;
  }

  // Reads `size` entries, and says whether each is equal to another one of what is expected. `step`: 2 for a dict.
  bool match(const TypedValue& expected, std::size_t size, int depth, std::size_t step) {
    const bool same_size = expected.items.size() % step == 0 && expected.items.size() / step == size;
    std::vector<Given> got;
    for (std::size_t i = 0; i < size && !reader_.failed(); ++i) {
      const std::string_view key = reader_.skip(depth + 1);
      const std::string_view value = step == 2 ? reader_.skip(depth + 1) : std::string_view();
      if (same_size) {
        got.push_back({key, value});
      }
    }
    if (!same_size || reader_.failed() || !budget_.spend(size)) {
      return false;
    }
    const std::vector<Wanted> want = wanted_entries(expected, step);
    std::stable_sort(got.begin(), got.end(), [](const Given& a, const Given& b) { return a.key < b.key; });
    // What has the same text is the same; what is left over has to be equal in another way.
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
    return odd.empty() || match_close(odd, left);
  }

  // Their values in a dict, where the keys are equal.
  [[nodiscard]] bool equal_values(const Given& got, const Wanted& want) const {
    return want.value == nullptr || equal(got.value, *want.value);
  }
  [[nodiscard]] bool equal(std::string_view text, const TypedValue& expected) const {
    return Comparer(text, lenient_, budget_).run(expected) == Comparison::kEqual;
  }

  // Of equal size. Numbers are paired off in their order, which is a right pairing if there is one; other things by
  // their fingerprints.
  [[nodiscard]] bool match_close(std::vector<Given>& got, std::vector<Wanted>& want) const {
    const auto same = [&](const Given& one, const Wanted& other) {
      return budget_.spend(1 + (one.key.size() + one.value.size()) / kBytesOfAnElement) && equal(one.key, *other.key) &&
             equal_values(one, other);
    };
    if (std::all_of(want.begin(), want.end(), [](const Wanted& one) { return one.key->kind == ValueKind::kFloat; })) {
      std::sort(got.begin(), got.end(),
                [](const Given& a, const Given& b) { return number_in(a.key) < number_in(b.key); });
      std::sort(want.begin(), want.end(),
                [](const Wanted& a, const Wanted& b) { return order_of(a.key->number) < order_of(b.key->number); });
      return std::equal(got.begin(), got.end(), want.begin(), want.end(), same);
    }
    std::vector<Fingerprint> given;
    std::vector<Fingerprint> expected;
    for (std::size_t i = 0; i < got.size(); ++i) {
      given.push_back(fingerprint(got[i].key, lenient_));
      expected.push_back(fingerprint(*want[i].key, lenient_));
    }
    return can_pair_off(
        given, expected, [&](std::size_t i, std::size_t j) { return same(got[i], want[j]); }, budget_);
  }

  ValueReader reader_;
  bool lenient_;
  Budget& budget_;
};

}  // namespace

Comparison compare_value(std::string_view encoded, const nlohmann::json& expected, std::string_view type) {
  static const TaskType any{"any", {}};
  const auto declared = parse_task_type(is_own_cpp_type(type) ? "auto" : type);
  auto want = declared ? typed_value(expected, *declared) : std::nullopt;
  if (!want) {  // an expected value that is not of the declared type equals no value of that type
    want = typed_value(expected, any);
  }
  if (!want) {
    want.emplace();
  }
  keep_each_once(*want);
  Budget budget(kLeastBudget + kBudgetOfAByte * encoded.size());
  return Comparer(encoded, declared && mentions(*declared, "auto"), budget).run(*want);
}

}  // namespace plumb
