#pragma once
// What a comparison of two mathematical answers says, and by which conventions.

#include <cstdint>
#include <string>
#include <string_view>

namespace plumb {

enum class MathVerdict { kEqual, kNotEqual, kProbablyEqual, kUndecided };
/// "equal", "not_equal", "probably_equal", "undecided".
std::string_view to_string(MathVerdict verdict);

/// Conventions of comparing and limits of work. Every member has the default that docs/math.md gives reasons for.
struct MathOptions {
  /// A decimal stands for an exact value that it cannot write out (2/3, sqrt 2) if it is right to this many significant
  /// digits; 0: never. Two decimals, and a decimal against a value that has an end (7/8), are compared exactly.
  int decimal_digits = 6;
  /// A truth in percent or degrees accepts the bare number (50% accepts 50); a bare truth never accepts the sign.
  bool bare_percent = true;
  /// Where one side names a unit and the other none, the numbers are compared.
  bool optional_unit = true;
  /// 5 cm equals 50 mm, and 90 degrees equal pi/2.
  bool convert_units = true;
  /// 1,2 equals 2,1. Sets never have an order, tuples always have one.
  bool unordered_lists = true;
  /// A truth 2.5 accepts 2,5.
  bool decimal_comma = true;
  /// \boxed{1} and \boxed{2} is the list 1,2; boxes with anything else between them are never joined.
  bool join_boxes = true;
  /// Where there is no box and no marker, the last number of the response counts.
  bool last_number = false;
  /// Whether kProbablyEqual earns the reward.
  bool probably_counts = true;
  /// Work units of one comparison. A unit is about 10 ns of work, counted and not measured, so that verdicts repeat.
  std::int64_t max_work = 4'000'000;
  /// Picks the points at which functions are compared.
  std::uint64_t seed = 1;
};

struct MathResult {
  MathVerdict verdict = MathVerdict::kUndecided;
  std::string reason;     // one sentence; may quote bytes of the answer
  std::string extracted;  // the answer that was judged; empty if there was none
  std::int64_t work = 0;  // units spent
  std::string fault;      // set where our own machinery failed: the answer was not judged
};

/// Whether `result` earns the reward under `options`.
bool accepted(const MathResult& result, const MathOptions& options);

}  // namespace plumb
