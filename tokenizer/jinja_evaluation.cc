// Expressions of JinjaInterpreter.

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "tokenizer/jinja_interpreter.h"

namespace plumb {
namespace {

using Kind = JinjaNode::Kind;
using Constant = JinjaNode::Constant;

// How deep evaluation may recurse; each level takes a few hundred bytes of the stack.

JinjaValue integer_operation(const std::string& op, std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  bool overflows = false;
  if (op == "+") {
    overflows = __builtin_add_overflow(a, b, &result);
  } else if (op == "-") {
    overflows = __builtin_sub_overflow(a, b, &result);
  } else if (op == "*") {
    overflows = __builtin_mul_overflow(a, b, &result);
  } else {
    if (b == 0) {
      throw JinjaFailure{"division by zero"};
    }
    overflows = b == -1 && a == std::numeric_limits<std::int64_t>::min();
    if (!overflows) {
      // Python rounds down, and the remainder has the sign of the divisor.
      const std::int64_t remainder = a % b;
      const bool is_below = remainder != 0 && (remainder < 0) != (b < 0);
      result = op == "%" ? remainder + (is_below ? b : 0) : a / b - (is_below ? 1 : 0);
    }
  }
  if (overflows) {
    throw JinjaFailure{"'" + op + "' leaves the range of 64-bit integers"};
  }
  return result;
}

JinjaValue number_operation(const std::string& op, const JinjaValue& left, const JinjaValue& right) {
  if (left.is_integer() && right.is_integer() && op != "/" && op != "**") {
    return integer_operation(op, left.integer(op), right.integer(op));
  }
  const double a = left.number(op);
  const double b = right.number(op);
  if (op == "**") {
    const double power = std::pow(a, b);
    const bool is_exact = left.is_integer() && right.is_integer() && b >= 0 && std::fabs(power) < 9e15;
    return is_exact ? JinjaValue(static_cast<std::int64_t>(power)) : JinjaValue(power);
  }
  if ((op == "/" || op == "//" || op == "%") && b == 0) {
    throw JinjaFailure{"division by zero"};
  }
  if (op == "%") {
    const double remainder = std::fmod(a, b);
    return remainder != 0 && (remainder < 0) != (b < 0) ? remainder + b : remainder;
  }
  return op == "+" ? a + b : op == "-" ? a - b : op == "*" ? a * b : op == "/" ? a / b : std::floor(a / b);
}

JinjaValue repeated(const JinjaValue& value, std::int64_t count, JinjaInterpreter& interpreter) {
  const auto times = static_cast<std::size_t>(std::clamp<std::int64_t>(count, 0, 1 << 24));
  if (value.is_text()) {
    std::string text;
    const std::string& one = value.text("*");
    for (std::size_t i = 0; i < times && !one.empty(); ++i) {
      interpreter.spend(one.size() + 64);
      text += one;
    }
    return text;
  }
  JinjaList list;
  for (std::size_t i = 0; i < times && !value.list()->empty(); ++i) {
    interpreter.spend(8 * value.list()->size() + 64);
    list.insert(list.end(), value.list()->begin(), value.list()->end());
  }
  return JinjaValue(std::move(list), value.is_tuple());
}

// Python's slice of `size` items: the places that it takes, in order.
std::vector<std::size_t> slice_places(std::size_t size, const JinjaValue& start, const JinjaValue& stop,
                                      const JinjaValue& step_value) {
  const std::int64_t step = step_value.is_none() ? 1 : step_value.integer("a slice");
  if (step == 0) {
    throw JinjaFailure{"the step of a slice is 0"};
  }
  const auto count = static_cast<std::int64_t>(size);
  const auto bound = [&](const JinjaValue& value, std::int64_t otherwise) {
    if (value.is_none()) {
      return otherwise;
    }
    const std::int64_t at = value.integer("a slice");
    const std::int64_t from_front = at < 0 ? std::max(at, -count - 1) + count : at;
    return std::clamp<std::int64_t>(from_front, step < 0 ? -1 : 0, step < 0 ? count - 1 : count);
  };
  std::vector<std::size_t> places;
  const std::int64_t end = bound(stop, step < 0 ? -1 : count);
  for (std::int64_t at = bound(start, step < 0 ? count - 1 : 0); step < 0 ? at > end : at < end;) {
    places.push_back(static_cast<std::size_t>(at));
    if (__builtin_add_overflow(at, step, &at)) {
      break;
    }
  }
  return places;
}

}  // namespace

JinjaValue JinjaInterpreter::eval(const JinjaNode& node) {
  spend(64);
  const Level level(*this, node);
  const auto child = [&](std::size_t i) { return eval(*node.children[i]); };
  switch (node.kind) {
    case Kind::kConstant:
      return constant(node);
    case Kind::kName:
      return lookup(node.text);
    case Kind::kList:
    case Kind::kTuple: {
      JinjaList list;
      for (const auto& item : node.children) {
        list.push_back(eval(*item));
      }
      return JinjaValue(std::move(list), node.kind == Kind::kTuple);
    }
    case Kind::kDict: {
      JinjaDict dict;
      for (std::size_t i = 0; i < node.children.size(); i += 2) {
        const JinjaValue key = child(i);
        jinja_set(dict, key.text("a key of a dictionary"), child(i + 1));
      }
      return dict;
    }
    case Kind::kUnary:
      return node.text == "-" ? number_operation("-", std::int64_t{0}, child(0))
                              : number_operation("+", std::int64_t{0}, child(0));
    case Kind::kBinary:
      return binary(node);
    case Kind::kCompare:
      return compare(node);
    case Kind::kAnd:
    case Kind::kOr: {
      JinjaValue value;
      for (const auto& part : node.children) {
        value = eval(*part);
        if (value.truth() == (node.kind == Kind::kOr)) {
          break;
        }
      }
      return value;
    }
    case Kind::kNot:
      return !child(0).truth();
    case Kind::kCondition:
      return child(1).truth() ? child(0) : node.children.size() > 2 ? child(2) : JinjaValue(JinjaUndefined{"else"});
    case Kind::kAttribute:
      return attribute(child(0), node.text, false);
    case Kind::kSubscript: {
      const JinjaValue object = child(0);
      return subscript(object, child(1));
    }
    case Kind::kSlice:
      return slice(node);
    case Kind::kCall: {
      const JinjaValue callee = child(0);
      return call(callee, arguments(node, "the call"));
    }
    case Kind::kFilter: {
      const JinjaValue subject = child(0);
      return filter(node.text, subject, arguments(node, "the filter '" + node.text + "'"));
    }
    case Kind::kTest: {
      const JinjaValue subject = child(0);
      return test(node.text, subject, arguments(node, "the test '" + node.text + "'"));
    }
    default:
      throw JinjaFailure{"line " + std::to_string(node.line) + ": this is no expression"};
  }
}

JinjaValue JinjaInterpreter::constant(const JinjaNode& node) const {
  switch (node.constant) {
    case Constant::kString:
      return node.text;
    case Constant::kInteger:
      return node.integer;
    case Constant::kFloat:
      return node.number;
    case Constant::kNone:
      return {};
    default:
      return node.constant == Constant::kTrue;
  }
}

JinjaValue JinjaInterpreter::binary(const JinjaNode& node) {
  if (node.text == "~") {
    std::string text;
    for (const auto& part : node.children) {
      text += eval(*part).str();
      check_jinja_size(text.size());
    }
    spend(text.size());
    return text;
  }
  const JinjaValue left = eval(*node.children[0]);
  const JinjaValue right = eval(*node.children[1]);
  const std::string& op = node.text;
  if (op == "+" && left.is_text() && right.is_text()) {
    spend(left.text(op).size() + right.text(op).size());
    return left.text(op) + right.text(op);
  }
  if (op == "+" && left.list() != nullptr && right.list() != nullptr && left.is_tuple() == right.is_tuple()) {
    JinjaList list = *left.list();
    list.insert(list.end(), right.list()->begin(), right.list()->end());
    spend(8 * list.size());
    return JinjaValue(std::move(list), left.is_tuple());
  }
  if (op == "*" && right.is_integer() && (left.is_text() || left.list() != nullptr)) {
    return repeated(left, right.integer(op), *this);
  }
  if (op == "*" && left.is_integer() && (right.is_text() || right.list() != nullptr)) {
    return repeated(right, left.integer(op), *this);
  }
  if (!left.is_number() || !right.is_number()) {
    throw JinjaFailure{"line " + std::to_string(node.line) + ": '" + op + "' does not go with " + left.type_name() +
                       " and " + right.type_name()};
  }
  return number_operation(op, left, right);
}

bool JinjaInterpreter::compare(const JinjaNode& node) {
  JinjaValue left = eval(*node.children[0]);
  for (std::size_t i = 0; i < node.operators.size(); ++i) {
    JinjaValue right = eval(*node.children[i + 1]);
    const std::string& op = node.operators[i];
    const bool holds = op == "=="       ? jinja_equal(left, right)
                       : op == "!="     ? !jinja_equal(left, right)
                       : op == "<"      ? jinja_less(left, right)
                       : op == ">"      ? jinja_less(right, left)
                       : op == "<="     ? !jinja_less(right, left)
                       : op == ">="     ? !jinja_less(left, right)
                       : op == "not in" ? !jinja_contains(right, left)
                                        : jinja_contains(right, left);
    if (!holds) {
      return false;
    }
    left = std::move(right);
  }
  return true;
}

JinjaValue JinjaInterpreter::attribute(const JinjaValue& object, const std::string& name, bool by_subscript) {
  if (object.is_undefined()) {
    throw JinjaFailure{object.type_name() + " has no '" + name + "'"};
  }
  const bool has_method = jinja_has_method(object, name);
  if (has_method && !by_subscript) {
    return JinjaFunction{name, std::make_shared<const JinjaValue>(object)};
  }
  const JinjaDict* members = object.dict();
  if (auto* const* space = object.get<JinjaNamespace*>()) {
    members = &(*space)->members;
  }
  if (members != nullptr) {
    if (const JinjaValue* found = jinja_find(*members, name)) {
      return *found;
    }
  }
  if (const auto* loop = object.get<std::shared_ptr<JinjaLoop>>(); loop != nullptr && (*loop)->items != nullptr) {
    const auto size = static_cast<std::int64_t>((*loop)->items->size());
    const auto index = static_cast<std::int64_t>((*loop)->index);
    const std::pair<const char*, std::int64_t> numbers[] = {{"index", index + 1},
                                                            {"index0", index},
                                                            {"revindex", size - index},
                                                            {"revindex0", size - index - 1},
                                                            {"length", size}};
    for (const auto& [key, number] : numbers) {
      if (name == key) {
        return number;
      }
    }
    if (name == "first" || name == "last") {
      return name == "first" ? index == 0 : index + 1 == size;
    }
    const std::int64_t other = name == "previtem" ? index - 1 : name == "nextitem" ? index + 1 : size;
    if (other >= 0 && other < size) {
      return (*(*loop)->items)[static_cast<std::size_t>(other)];
    }
  }
  return has_method ? JinjaValue(JinjaFunction{name, std::make_shared<const JinjaValue>(object)})
                    : JinjaValue(JinjaUndefined{name});
}

JinjaValue JinjaInterpreter::subscript(const JinjaValue& object, const JinjaValue& index) {
  if (index.is_text()) {
    return attribute(object, index.text(""), true);
  }
  if (object.is_undefined()) {
    throw JinjaFailure{object.type_name() + " has no items"};
  }
  if (index.is_integer() && (object.list() != nullptr || object.is_text())) {
    const JinjaList items = object.list() != nullptr ? JinjaList() : object.items("a subscript");
    const JinjaList& list = object.list() != nullptr ? *object.list() : items;
    const auto size = static_cast<std::int64_t>(list.size());
    const std::int64_t at = index.integer("");
    const std::int64_t place = at < 0 ? at + size : at;
    spend(items.size() * 8);
    if (place >= 0 && place < size) {
      return list[static_cast<std::size_t>(place)];
    }
  }
  return JinjaUndefined{index.str()};
}

JinjaValue JinjaInterpreter::slice(const JinjaNode& node) {
  const JinjaValue object = eval(*node.children[0]);
  const auto bound = [&](std::size_t i) { return node.children[i] ? eval(*node.children[i]) : JinjaValue(); };
  const JinjaValue start = bound(1);
  const JinjaValue stop = bound(2);
  const JinjaValue step_value = bound(3);
  if (object.is_text()) {
    spend(16 * object.text("").size());
    const auto characters = jinja_characters(object.text(""));
    std::string text;
    for (const std::size_t place : slice_places(characters.size(), start, stop, step_value)) {
      text += characters[place];
    }
    return text;
  }
  if (object.list() == nullptr) {
    throw JinjaFailure{"line " + std::to_string(node.line) + ": a slice needs a string or a list, not " +
                       object.type_name()};
  }
  JinjaList list;
  for (const std::size_t place : slice_places(object.list()->size(), start, stop, step_value)) {
    list.push_back((*object.list())[place]);
  }
  spend(8 * list.size());
  return JinjaValue(std::move(list), object.is_tuple());
}

}  // namespace plumb
