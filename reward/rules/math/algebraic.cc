#include "reward/rules/math/algebraic.h"

#include <vector>

#include "reward/rules/math/calcium_bridge.h"

namespace plumb::math {

namespace {

constexpr std::size_t kMostCodes = 60;
constexpr std::int64_t kMostBits = 512;

// A tree as instructions, children before their parent; shared children are written again.
class Program {
 public:
  bool write(const Expr& expr, int root) {
    std::vector<std::pair<int, bool>> todo = {{root, false}};
    while (!todo.empty()) {
      const auto [id, done] = todo.back();
      todo.pop_back();
      if (done ? !finish(expr, id) : !start(expr, id, todo)) {
        return false;
      }
      if (codes_.size() > kMostCodes || todo.size() > kMostCodes) {
        return false;
      }
    }
    return true;
  }

  [[nodiscard]] plumb_ca_program view() {
    raw_.clear();
    for (const Rational& number : numbers_) {
      raw_.push_back(*number.get());  // shares the limbs, which live as long as numbers_
    }
    return {codes_.data(), static_cast<long>(codes_.size()), raw_.data(), static_cast<long>(codes_.size()) + 1};
  }

 private:
  void number(Rational value) {
    codes_.push_back(PLUMB_CA_NUMBER);
    numbers_.push_back(std::move(value));
  }

  bool start(const Expr& expr, int id, std::vector<std::pair<int, bool>>& todo) {
    const Node& node = expr[id];
    switch (node.kind) {
      case Kind::kNumber:
        number(expr.value(id));
        return expr.value(id).bits() <= kMostBits;
      case Kind::kPi:
        codes_.push_back(PLUMB_CA_PI);
        return true;
      case Kind::kEuler:
        codes_.push_back(PLUMB_CA_EULER);
        return true;
      case Kind::kImaginary:
        codes_.push_back(PLUMB_CA_I);
        return true;
      case Kind::kPower:
        if (expr[node.b].kind == Kind::kNumber && expr.value(node.b).bits() > 16) {
          return false;
        }
        break;
      case Kind::kRoot:
        if (expr[node.a].kind != Kind::kNumber || !expr.value(node.a).fits_int() || expr.value(node.a).to_int() > 12 ||
            expr.value(node.a).to_int() < 2) {
          return false;
        }
        todo.emplace_back(id, true);
        todo.emplace_back(node.b, false);
        return true;
      case Kind::kSum:
      case Kind::kProduct:
      case Kind::kDivide:
      case Kind::kNegate:
      case Kind::kApply:
      case Kind::kBased:
      case Kind::kPercent:
        break;
      case Kind::kQuantity:
        if (expr.name(id) != "degree") {
          return false;
        }
        break;
      default:
        return false;
    }
    todo.emplace_back(id, true);
    if (node.b >= 0) {
      todo.emplace_back(node.b, false);
    }
    todo.emplace_back(node.a, false);
    return true;
  }

  void push(std::initializer_list<unsigned char> codes) { codes_.insert(codes_.end(), codes); }

  bool finish(const Expr& expr, int id) {
    const Node& node = expr[id];
    switch (node.kind) {
      case Kind::kSum:
        push({PLUMB_CA_ADD});
        return true;
      case Kind::kProduct:
        push({PLUMB_CA_MUL});
        return true;
      case Kind::kDivide:
        push({PLUMB_CA_DIV});
        return true;
      case Kind::kPower:
        push({PLUMB_CA_POW});
        return true;
      case Kind::kNegate:
        push({PLUMB_CA_NEG});
        return true;
      case Kind::kRoot:
        if (expr.value(node.a).to_int() == 2) {
          push({PLUMB_CA_SQRT});
        } else {
          // Only the roots of positive numbers are principal values; the balls have told the two apart before.
          number(Rational(1, static_cast<ulong>(expr.value(node.a).to_int())));
          push({PLUMB_CA_POW});
          return expr[node.b].kind == Kind::kNumber && expr.value(node.b).sign() > 0;
        }
        return true;
      case Kind::kPercent:
        number(Rational(1, 100));
        push({PLUMB_CA_MUL});
        return true;
      case Kind::kQuantity:
        number(Rational(1, 180));
        push({PLUMB_CA_MUL, PLUMB_CA_PI, PLUMB_CA_MUL});
        return true;
      case Kind::kBased:
        return true;
      default:
        return call(expr, id);
    }
  }

  bool call(const Expr& expr, int id) {
    const bool base = expr[id].b >= 0;
    switch (expr.function(id)) {
      case Function::kSin:
        push({PLUMB_CA_SIN});
        return !base;
      case Function::kCos:
        push({PLUMB_CA_COS});
        return !base;
      case Function::kTan:
        push({PLUMB_CA_TAN});
        return !base;
      case Function::kCot:
        push({PLUMB_CA_COT});
        return !base;
      case Function::kAsin:
        push({PLUMB_CA_ASIN});
        return !base;
      case Function::kAcos:
        push({PLUMB_CA_ACOS});
        return !base;
      case Function::kAtan:
        push({PLUMB_CA_ATAN});
        return !base;
      case Function::kExp:
        push({PLUMB_CA_EXP});
        return !base;
      case Function::kAbs:
        push({PLUMB_CA_ABS});
        return !base;
      case Function::kLn:
        push({PLUMB_CA_LOG});
        return !base;
      case Function::kLg:
      case Function::kLog:
        if (base) {  // argument and base are on the stack
          return log_quotient(expr, id);
        }
        push({PLUMB_CA_LOG});
        number(Rational(10));
        push({PLUMB_CA_LOG, PLUMB_CA_DIV});
        return true;
      default:
        return false;
    }
  }

  // The base was pushed last: log it, then there is no way to reach below it, so only a written base is taken.
  bool log_quotient(const Expr& expr, int id) {
    const int base = expr[id].b;
    if (expr[base].kind != Kind::kNumber || codes_.back() != PLUMB_CA_NUMBER) {
      return false;
    }
    codes_.pop_back();
    const Rational value = numbers_.back();
    numbers_.pop_back();
    push({PLUMB_CA_LOG});
    number(value);
    push({PLUMB_CA_LOG, PLUMB_CA_DIV});
    return true;
  }

  std::vector<unsigned char> codes_;
  std::vector<Rational> numbers_;
  std::vector<fmpq> raw_;
};

}  // namespace

Identity compare_constants(const Expr& expr, int a, int b, Work& work) {
  Program left;
  Program right;
  constexpr std::int64_t kCost = 30000;
  if (!left.write(expr, a) || !right.write(expr, b) || !work.spend(kCost)) {
    return Identity::kUnknown;
  }
  const plumb_ca_program x = left.view();
  const plumb_ca_program y = right.view();
  const int truth = plumb_ca_compare(&x, &y);
  return truth > 0 ? Identity::kEqual : truth == 0 ? Identity::kDifferent : Identity::kUnknown;
}

}  // namespace plumb::math
