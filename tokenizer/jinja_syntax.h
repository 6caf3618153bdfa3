#pragma once
// The tree of a Jinja program.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace plumb {

/// A node; `children` by kind. Statements hold bodies as kBody.
struct JinjaNode {
  enum class Kind {
    kBody,         // statements
    kText,         // text
    kPrint,        // expression
    kIf,           // condition, body, [else: body]
    kFor,          // target, iterable, [condition or null], body, [else: body or null]
    kSet,          // target, value
    kSetBlock,     // target, body, filters on null
    kMacro,        // text: name; parameters as kParameter; last the body
    kParameter,    // text: name; [default]
    kCallBlock,    // kMacro "caller", call
    kFilterBlock,  // body, filters on null
    kWith,         // target, value, ..., body
    kBreak,
    kContinue,
    kConstant,  // text, number, or what `constant` says
    kName,
    kList,
    kTuple,
    kDict,     // key, value, ...
    kUnary,    // text: operator
    kBinary,   // text: operator, not and/or
    kCompare,  // first, kBinary-like operands: children[i + 1] compared by operators[i]
    kAnd,
    kOr,
    kNot,
    kCondition,  // value, condition, [otherwise]
    kAttribute,  // object; text: name
    kSubscript,  // object, index
    kSlice,      // object, start or null, stop or null, step or null
    kCall,       // callee, arguments; named ones as kKeyword
    kKeyword,    // text: name; value
    kFilter,     // text: name; subject (null in a block), arguments
    kTest,       // text: name; subject, arguments
  };
  enum class Constant { kString, kInteger, kFloat, kTrue, kFalse, kNone };

  Kind kind = Kind::kBody;
  std::string text;
  int line = 0;
  Constant constant = Constant::kString;
  std::int64_t integer = 0;
  double number = 0;
  std::vector<std::string> operators;  // of kCompare
  std::vector<std::unique_ptr<JinjaNode>> children;
};

/// Errors as JinjaTemplate::parse().
Result<std::unique_ptr<JinjaNode>> parse_jinja(std::string_view source);

/// Whether the interpreter knows the filter or test.
bool is_jinja_filter(std::string_view name);
bool is_jinja_test(std::string_view name);

}  // namespace plumb
