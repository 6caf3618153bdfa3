#pragma once
// The text that values travel as between judge and candidate, and the comparison. One letter, then the value:
//   n            None            t / f        true / false
//   i<hex>;      integer, e.g. i-1f;         d<C99 hex or decimal float>;   e.g. d0x1.8p+1; dnan; dinf;
//   s<n>:<bytes> n bytes of UTF-8            l<n>:<values>                  list of n values (u<n>: a tuple)
// It is read here value by value against what is expected: nothing of a candidate's size is ever built in memory.

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "core/records.h"
#include "core/result.h"

namespace plumb {

/// The arguments of one call as values in a row. Integers may stand where "float" is declared; floats may be written
/// "nan", "inf", "-inf". Errors: an argument that does not fit its declared type (for C++: an int beyond 32 bits).
Result<std::string> encode_arguments(const nlohmann::json& args, const FunctionSignature& function, Language language);

enum class Comparison { kEqual, kDifferent, kMalformed };

/// Compares one encoded value with `expected`, type-strictly: true is not 1, 1 is not 1.0, a tuple is not a list.
/// Floats are equal within 1e-9 relative or 1e-12 absolute; NaN equals NaN, an infinity itself. Where `type` (the
/// declared result) is "float" an expected integer stands for that float. kMalformed: not in the format above.
Comparison compare_value(std::string_view encoded, const nlohmann::json& expected, std::string_view type);

}  // namespace plumb
