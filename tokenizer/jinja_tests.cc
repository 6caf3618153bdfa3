#include <algorithm>

#include "tokenizer/jinja_interpreter.h"

namespace plumb {
namespace {

bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool has_items(const JinjaValue& value) {
  return value.is_text() || value.list() != nullptr || value.dict() != nullptr || value.is_undefined();
}

bool same(const JinjaValue& a, const JinjaValue& b) {
  return a.type_name() == b.type_name() && jinja_equal(a, b);
}

}  // namespace

bool is_jinja_test(std::string_view name) {
  return is_one_of(name, {"defined", "undefined", "none",        "boolean", "true",     "false",       "integer",
                          "float",   "number",    "string",      "mapping", "sequence", "iterable",    "callable",
                          "odd",     "even",      "divisibleby", "equalto", "eq",       "==",          "ne",
                          "!=",      "lt",        "lessthan",    "<",       "gt",       "greaterthan", ">",
                          "le",      "<=",        "ge",          ">=",      "in",       "sameas",      "lower",
                          "upper",   "filter",    "test"});
}

bool JinjaInterpreter::test(const std::string& name, const JinjaValue& value, const JinjaArguments& given) {
  const auto other = [&]() -> const JinjaValue& { return given.need(0, "other"); };
  const auto integer = [&] { return value.integer("the test '" + name + "'"); };
  if (is_one_of(name, {"defined", "undefined"})) {
    return value.is_undefined() == (name == "undefined");
  }
  if (is_one_of(name, {"equalto", "eq", "==", "ne", "!="})) {
    return jinja_equal(value, other()) == !is_one_of(name, {"ne", "!="});
  }
  if (is_one_of(name, {"lt", "lessthan", "<", "ge", ">="})) {
    return jinja_less(value, other()) == !is_one_of(name, {"ge", ">="});
  }
  if (is_one_of(name, {"gt", "greaterthan", ">", "le", "<="})) {
    return jinja_less(other(), value) == !is_one_of(name, {"le", "<="});
  }
  if (is_one_of(name, {"true", "false"})) {
    return value.get<bool>() != nullptr && *value.get<bool>() == (name == "true");
  }
  if (is_one_of(name, {"odd", "even"})) {
    return (integer() % 2 != 0) == (name == "odd");
  }
  if (name == "divisibleby") {
    const std::int64_t divisor = given.need(0, "num").integer("divisibleby");
    if (divisor == 0) {
      throw JinjaFailure{"division by zero"};
    }
    return divisor == -1 || integer() % divisor == 0;
  }
  if (is_one_of(name, {"lower", "upper"})) {
    const std::string text = value.str();
    spend(text.size());
    return text != (name == "lower" ? jinja_upper(text) : jinja_lower(text)) &&
           text == (name == "lower" ? jinja_lower(text) : jinja_upper(text));
  }
  if (is_one_of(name, {"filter", "test"})) {
    const std::string& asked = value.text(name);
    return name == "filter" ? is_jinja_filter(asked) : is_jinja_test(asked);
  }
  return name == "none"      ? value.is_none()
         : name == "boolean" ? value.get<bool>() != nullptr
         : name == "integer" ? value.get<std::int64_t>() != nullptr
         : name == "float"   ? value.get<double>() != nullptr
         : name == "number"  ? value.is_number()
         : name == "string"  ? value.is_text()
         : name == "mapping" ? value.dict() != nullptr
         : name == "in"      ? jinja_contains(other(), value)
         : name == "sameas"  ? same(value, other())
         : name == "callable"
             ? value.get<JinjaMacro>() != nullptr || value.get<JinjaFunction>() != nullptr || value.is_undefined()
         : is_one_of(name, {"sequence", "iterable"}) ? has_items(value)
                                                     : throw JinjaFailure{"the test '" + name + "' is not supported"};
}

}  // namespace plumb
