#pragma once
// What the commands and words of mathematical text mean to the parser.

#include <string>
#include <string_view>

namespace plumb::math {

enum class Meaning : unsigned char {
  kUnknown,
  kBlank,
  kConstant,  // code: Kind
  kSymbol,    // a Greek letter and its kin
  kFunction,  // code: Function
  kFraction,
  kBinomial,
  kRoot,  // code: 2, or 3 for cbrt
  kText,
  kBoxed,
  kTimes,
  kOver,       // division sign
  kPlusMinus,  // code 1: minus-plus
  kRelation,   // code: Sign
  kUnion,
  kIntersection,
  kDifference,
  kNamedSet,    // code: letter
  kBlackboard,  // \mathbb
  kBig,         // code: Kind
  kModulo,      // a mod b
  kPmod,
  kOpen,  // code: the ASCII bracket it stands for (F floor, C ceil, N norm, < angle)
  kClose,
  kBar,
  kDots,
  kCircle,
  kAnd,
  kSeparator,  // a bare comma in other clothes
  kBegin,
  kEnd,
  kCurrency,
  kOverline,
  kPrime,
  kUnsupported,
};

struct Name {
  Meaning meaning = Meaning::kUnknown;
  unsigned char code = 0;
};

/// Meaning of \name.
Name command_meaning(std::string_view name);
/// Meaning of a word written without a backslash (sin, pi, sqrt, infinity, and, ...).
Name word_meaning(std::string_view word);

/// Whether an answer that consists of these letters, blanks and marks is a text rather than a product of symbols.
bool reads_as_text(std::string_view cleaned);

}  // namespace plumb::math
