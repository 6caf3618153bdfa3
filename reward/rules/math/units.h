#pragma once
// Units of measure: what "cm", "square inches" or "m/s" stand for.

#include <array>
#include <string>
#include <string_view>

#include "reward/rules/math/rational.h"

namespace plumb::math {

/// A unit in powers of base quantities. Words that are no known unit (apples, units) have only a name.
struct Unit {
  bool known = false;
  Rational factor = Rational(1);  // in base units: m, kg, s, dollar, K, byte, degree
  std::array<int, 7> powers = {};
  std::string name;  // of an unknown unit: lower case, singular

  [[nodiscard]] bool is_degree() const;
  /// Whether quantities in both can be compared at all.
  [[nodiscard]] bool same_kind(const Unit& other) const;
};

/// Reads products, quotients and powers of unit words: "cm^2", "square inches", "miles per hour", "m/s".
Unit read_unit(std::string_view text);
/// Whether a bare word behind a number is a unit.
bool is_unit_word(std::string_view word);

}  // namespace plumb::math
