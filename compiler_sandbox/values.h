#pragma once
// The text that values travel as between judge and candidate, and the comparison. One letter, then the value:
//   n            None            t / f        true / false
//   i<hex>;      integer, e.g. i-1f;         d<C99 hex or decimal float>;   e.g. d0x1.8p+1; dnan; dinf;
//   s<n>:<bytes> n bytes of UTF-8            b<n>:<bytes> bytes
//   l<n>:<values>  list of n values          u<n>: a tuple        e<n>: a set        m<n>: a dict, key and value in
//   turn g<float>;    a float of single precision (C++ alone)
// It is read here value by value against what is expected: nothing of a candidate's size is ever built in memory.

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "core/records.h"
#include "core/result.h"
#include "core/typed_value.h"

namespace plumb {

/// Appends one value. Sets and dicts are in the order of their elements' and keys' texts, each once.
void encode_value(const TypedValue& value, std::string& text);

/// The arguments of one call as values in a row, each JSON read by its declared type (core/typed_value.h). Errors: an
/// argument that does not fit its declared type (for C++: an "int" beyond 32 bits).
Result<std::string> encode_arguments(const nlohmann::json& args, const FunctionSignature& function, Language language);

enum class Comparison { kEqual, kDifferent, kMalformed };

/// Compares one encoded value with `expected`, read by the declared result `type`, type-strictly: true is not 1, 1 is
/// not 1.0, a tuple is not a list. Floats are equal within 1e-9 relative or 1e-12 absolute; NaN equals NaN, an infinity
/// itself. Sets and dicts are compared without regard to order, their floats as others: what is not exactly there has
/// to be close to an element, or a key, that nothing else is paired with. Of type "auto", C++'s own types count for
/// what JSON can say: lists, tuples and sets of equal elements are equal (a set's in any order), so are integers of any
/// width, bytes and a text or a list of integers, and a float of single precision is equal within 1e-5. kMalformed: not
/// in the format above.
Comparison compare_value(std::string_view encoded, const nlohmann::json& expected, std::string_view type);

/// Whether `encoded` is `count` values in the format above and nothing else, at most 64 deep.
bool is_well_formed(std::string_view encoded, std::size_t count);

}  // namespace plumb
