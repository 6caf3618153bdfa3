#include "reward/rules/math/rational.h"

#include "core/check.h"

namespace plumb::math {

Rational Rational::from_digits(const std::string& digits, int base, std::size_t places) {
  constexpr std::size_t kWordDigits = 15;
  Rational value;
  if (base == 10 && digits.size() <= kWordDigits) {
    slong small = 0;
    for (const char c : digits) {
      small = small * 10 + (c - '0');
    }
    fmpz_set_si(fmpq_numref(value.q_), small);
  } else {
    PLUMB_CHECK(fmpz_set_str(fmpq_numref(value.q_), digits.c_str(), base) == 0, "the lexer let a bad digit through");
  }
  if (places > 0) {
    fmpz_set_ui(fmpq_denref(value.q_), static_cast<ulong>(base));
    fmpz_pow_ui(fmpq_denref(value.q_), fmpq_denref(value.q_), places);
    fmpq_canonicalise(value.q_);
  }
  return value;
}

bool Rational::fits_int() const {
  return is_integer() && fmpz_bits(num()) <= 62;
}

}  // namespace plumb::math
