#pragma once
// A rational number of any size, owned; a thin cover of FLINT's fmpq. Sizes are the caller's business: estimate before
// raising to a power.

#include <flint/fmpq.h>

#include <string>
#include <string_view>
#include <utility>

namespace plumb::math {

class Rational {
 public:
  Rational() { fmpq_init(q_); }
  explicit Rational(slong value) : Rational() { fmpq_set_si(q_, value, 1); }
  Rational(slong above, ulong below) : Rational() { fmpq_set_si(q_, above, below); }
  Rational(const Rational& other) : Rational() { fmpq_set(q_, other.q_); }
  Rational(Rational&& other) noexcept : Rational() { fmpq_swap(q_, other.q_); }
  Rational& operator=(const Rational& other) {
    fmpq_set(q_, other.q_);
    return *this;
  }
  Rational& operator=(Rational&& other) noexcept {
    fmpq_swap(q_, other.q_);
    return *this;
  }
  ~Rational() { fmpq_clear(q_); }

  /// `digits` (only digits of `base`, at least one) divided by base^places.
  static Rational from_digits(const std::string& digits, int base, std::size_t places);

  [[nodiscard]] fmpq* get() { return q_; }
  [[nodiscard]] const fmpq* get() const { return q_; }
  [[nodiscard]] const fmpz* num() const { return fmpq_numref(q_); }
  [[nodiscard]] const fmpz* den() const { return fmpq_denref(q_); }

  [[nodiscard]] bool is_zero() const { return fmpq_is_zero(q_) != 0; }
  [[nodiscard]] bool is_one() const { return fmpq_is_one(q_) != 0; }
  [[nodiscard]] bool is_integer() const { return fmpz_is_one(den()) != 0; }
  [[nodiscard]] int sign() const { return fmpq_sgn(q_); }
  [[nodiscard]] bool fits_int() const;  // an integer of at most 62 bits
  [[nodiscard]] slong to_int() const { return fmpz_get_si(num()); }
  /// Bits of the numerator and the denominator together.
  [[nodiscard]] std::int64_t bits() const {
    return static_cast<std::int64_t>(fmpz_bits(num())) + static_cast<std::int64_t>(fmpz_bits(den()));
  }
  friend bool operator==(const Rational& a, const Rational& b) { return fmpq_equal(a.q_, b.q_) != 0; }
  friend bool operator<(const Rational& a, const Rational& b) { return fmpq_cmp(a.q_, b.q_) < 0; }

 private:
  fmpq_t q_;
};

}  // namespace plumb::math
