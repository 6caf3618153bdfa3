#include "compiler_sandbox/value_fingerprint.h"

#include <charconv>
#include <cmath>
#include <functional>

#include "compiler_sandbox/value_reader.h"

namespace plumb {

namespace {

// Sums of all doubles that fit into a memory are finite with it.
constexpr double kScale = 0x1p-64;

std::uint64_t mixed(std::uint64_t bits) {
  bits ^= bits >> 30U;
  bits *= 0xbf58476d1ce4e5b9U;
  bits ^= bits >> 27U;
  bits *= 0x94d049bb133111ebU;
  return bits ^ (bits >> 31U);
}

Fingerprint exact(char letter, std::string_view text = {}) {
  return {mixed(std::hash<std::string_view>()(text) + static_cast<unsigned char>(letter)), 0, 0};
}

Fingerprint floating(double number, double relative) {
  if (!std::isfinite(number)) {
    return exact('d', std::isnan(number) ? "nan" : number > 0 ? "inf" : "-inf");
  }
  const double size = std::fabs(number * kScale);
  return {mixed('d'), number * kScale, relative * size + kAbsoluteTolerance * kScale};
}

// A container's, of those of its elements.
class Fold {
 public:
  Fold(char letter, std::size_t size, bool ordered)
      : ordered_(ordered), whole_(exact(letter, std::string(1, ordered ? 'o' : 'u') + std::to_string(size))) {}

  void add(const Fingerprint& element) {
    if (ordered_) {
      // Of each place another weight, from 1/2 to 1: steps of the golden ratio, half as large.
      weight_ = weight_ > 0.69 ? weight_ - 0.19098300562505258 : weight_ + 0.30901699437494742;
      whole_.shape = mixed(whole_.shape * 3 + element.shape);
      whole_.sum += weight_ * element.sum;
      whole_.slack += weight_ * element.slack;
    } else {
      // Not just the sum, which is 0 of every {-x, x}.
      whole_.shape += mixed(element.shape);
      whole_.sum += element.sum + 0.6 * std::fabs(element.sum);
      whole_.slack += 1.6 * element.slack;
    }
  }
  [[nodiscard]] const Fingerprint& whole() const { return whole_; }

 private:
  bool ordered_;
  double weight_ = 0.5;
  Fingerprint whole_;
};

// Leniently, sequences and sets of equal elements are equal.
Fold fold_of(char letter, std::size_t size, bool lenient) {
  const bool sequence = letter == 'l' || letter == 'u' || letter == 'e';
  return {lenient && sequence ? 'l' : letter, size, !lenient && (letter == 'l' || letter == 'u')};
}

Fold pair_of(const Fingerprint& key, const Fingerprint& value) {
  Fold pair('m', 2, true);
  pair.add(key);
  pair.add(value);
  return pair;
}

// Leniently, a text is its bytes, and those are small integers.
Fingerprint text_of(char letter, std::string_view bytes, bool lenient) {
  if (!lenient) {
    return exact(letter, bytes);
  }
  Fold list = fold_of('l', bytes.size(), true);
  for (const char byte : bytes) {
    char digits[8];
    const auto end = std::to_chars(digits, digits + sizeof(digits), static_cast<unsigned char>(byte), 16);
    list.add(exact('i', std::string_view(digits, static_cast<std::size_t>(end.ptr - digits))));
  }
  return list.whole();
}

char letter_of(ValueKind kind) {
  switch (kind) {
    case ValueKind::kText:
      return 's';
    case ValueKind::kBytes:
      return 'b';
    case ValueKind::kList:
      return 'l';
    case ValueKind::kTuple:
      return 'u';
    default:
      return 'e';
  }
}

Fingerprint next_of(ValueReader& reader, bool lenient) {
  const char letter = reader.kind();
  switch (letter) {
    case 'i':
      return exact('i', reader.digits());
    case 'd':
    case 'g': {
      double number = 0;
      read_float(reader.digits(), number);
      return floating(number, letter == 'g' && lenient ? kSingleTolerance : kRelativeTolerance);
    }
    case 's':
    case 'b':
      return text_of(letter, reader.bytes(reader.count()), lenient);
    case 'l':
    case 'u':
    case 'e':
    case 'm': {
      const std::size_t size = reader.count();
      Fold fold = fold_of(letter, size, lenient);
      for (std::size_t i = 0; i < size && !reader.failed(); ++i) {
        const Fingerprint element = next_of(reader, lenient);
        fold.add(letter == 'm' ? pair_of(element, next_of(reader, lenient)).whole() : element);
      }
      return fold.whole();
    }
    default:
      return exact(letter);
  }
}

}  // namespace

Fingerprint fingerprint(const TypedValue& value, bool lenient) {
  switch (value.kind) {
    case ValueKind::kNone:
      return exact('n');
    case ValueKind::kBool:
      return exact(value.truth ? 't' : 'f');
    case ValueKind::kInt:
      return exact('i', value.text);
    case ValueKind::kFloat:
      return floating(value.number, lenient ? kSingleTolerance : kRelativeTolerance);
    case ValueKind::kText:
    case ValueKind::kBytes:
      return text_of(letter_of(value.kind), value.text, lenient);
    case ValueKind::kDict: {
      Fold fold = fold_of('m', value.items.size() / 2, lenient);
      for (std::size_t i = 0; i + 1 < value.items.size(); i += 2) {
        fold.add(pair_of(fingerprint(value.items[i], lenient), fingerprint(value.items[i + 1], lenient)).whole());
      }
      return fold.whole();
    }
    case ValueKind::kList:
    case ValueKind::kTuple:
    case ValueKind::kSet:
      break;
  }
  Fold fold = fold_of(letter_of(value.kind), value.items.size(), lenient);
  for (const TypedValue& item : value.items) {
    fold.add(fingerprint(item, lenient));
  }
  return fold.whole();
}

Fingerprint fingerprint(std::string_view encoded, bool lenient) {
  ValueReader reader(encoded);
  return next_of(reader, lenient);
}

}  // namespace plumb
