#include "reward/rules/math/rewrite.h"

#include <algorithm>
#include <map>

namespace plumb::math {

int rewrite(Expr& expr, int root, const std::function<std::optional<int>(int, const std::vector<int>&)>& replace) {
  std::map<int, int> now;
  std::vector<int> children;
  for (const int id : expr.order(root)) {
    children.clear();
    bool changed = false;
    expr.for_children(id, [&](int child) {
      children.push_back(now[child]);
      changed = changed || now[child] != child;
    });
    if (const auto other = replace(id, children)) {
      now[id] = *other;
    } else {
      now[id] = changed ? expr.rebuilt(id, children) : id;
    }
  }
  return now[root];
}

bool contains(const Expr& expr, int root, Kind kind) {
  if (expr[root].kind == Kind::kNumber || expr[root].kind == Kind::kSymbol) {
    return expr[root].kind == kind;
  }
  const auto order = expr.order(root);
  return std::any_of(order.begin(), order.end(), [&](int id) { return expr[id].kind == kind; });
}

std::vector<int> free_symbols(const Expr& expr, int root) {
  if (expr[root].kind == Kind::kNumber) {
    return {};
  }
  std::vector<int> names;
  std::vector<int> bound;
  for (const int id : expr.order(root)) {
    const Node& node = expr[id];
    if (node.kind == Kind::kSymbol) {
      names.push_back(node.data);
    }
    if (node.kind == Kind::kBigSum || node.kind == Kind::kBigProduct || node.kind == Kind::kIntegral) {
      bound.push_back(expr[expr.kid(id, 0)].data);
    }
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  std::erase_if(names, [&](int name) { return std::find(bound.begin(), bound.end(), name) != bound.end(); });
  return names;
}

std::vector<int> expand_signs(Expr& expr, int root) {
  if (!contains(expr, root, Kind::kPlusMinus)) {
    return {root};
  }
  std::vector<int> both;
  for (const bool upper : {true, false}) {
    both.push_back(rewrite(expr, root, [&](int id, const std::vector<int>& children) -> std::optional<int> {
      if (expr[id].kind != Kind::kPlusMinus) {
        return std::nullopt;
      }
      const bool plus = upper == (expr[id].op == 0);
      return plus ? children[0] : expr.unary(Kind::kNegate, children[0]);
    }));
  }
  return both;
}

int substitute(Expr& expr, int root, int name, int by) {
  return rewrite(expr, root, [&](int id, const std::vector<int>&) -> std::optional<int> {
    return expr[id].kind == Kind::kSymbol && expr[id].data == name ? std::optional(by) : std::nullopt;
  });
}

int polynomial_degree(const Expr& expr, int body, int name) {
  constexpr int kHighest = 40;
  const int base = expr[body].begin;
  std::vector<int> degrees(static_cast<std::size_t>(body - base + 1), -1);
  const auto of = [&](int id) { return degrees[static_cast<std::size_t>(id - base)]; };
  for (const int id : expr.order(body)) {
    const Node& node = expr[id];
    int result = 0;
    bool constant = true;
    expr.for_children(id, [&](int child) { constant = constant && of(child) == 0; });
    if (node.kind == Kind::kSymbol || node.kind == Kind::kImaginary) {
      result = (node.kind == Kind::kSymbol ? node.data : kImaginaryName) == name ? 1 : 0;
    } else if (constant) {
      result = 0;
    } else if (node.kind == Kind::kNegate) {
      result = of(node.a);
    } else if (node.kind == Kind::kSum) {
      result = of(node.a) < 0 || of(node.b) < 0 ? -1 : std::max(of(node.a), of(node.b));
    } else if (node.kind == Kind::kProduct) {
      result = of(node.a) < 0 || of(node.b) < 0 ? -1 : of(node.a) + of(node.b);
    } else if (node.kind == Kind::kDivide) {
      result = of(node.b) == 0 ? of(node.a) : -1;
    } else if (node.kind == Kind::kPower && expr[node.b].kind == Kind::kNumber && expr.value(node.b).fits_int() &&
               expr.value(node.b).sign() >= 0 && expr.value(node.b).to_int() <= kHighest) {
      result = of(node.a) < 0 ? -1 : of(node.a) * static_cast<int>(expr.value(node.b).to_int());
    } else {
      result = -1;
    }
    degrees[static_cast<std::size_t>(id - base)] = result > kHighest ? -1 : result;
  }
  return of(body);
}

namespace {

// Derivative of the function itself at `x`; -1 where no rule is known.
int outer_derivative(Expr& e, Function function, int x) {
  const auto one_minus_square = [&](bool plus) {
    const int square = e.binary(Kind::kPower, x, e.integer(2));
    return e.binary(Kind::kSum, e.integer(1), plus ? square : e.unary(Kind::kNegate, square));
  };
  const auto over = [&](int below) { return e.binary(Kind::kDivide, e.integer(1), below); };
  const auto root = [&](int of) { return e.binary(Kind::kRoot, e.integer(2), of); };
  switch (function) {
    case Function::kSin:
      return e.apply(Function::kCos, x);
    case Function::kCos:
      return e.unary(Kind::kNegate, e.apply(Function::kSin, x));
    case Function::kTan:
      return e.binary(Kind::kPower, e.apply(Function::kSec, x), e.integer(2));
    case Function::kExp:
      return e.apply(Function::kExp, x);
    case Function::kLn:
      return over(x);
    case Function::kAsin:
      return over(root(one_minus_square(false)));
    case Function::kAcos:
      return e.unary(Kind::kNegate, over(root(one_minus_square(false))));
    case Function::kAtan:
      return over(one_minus_square(true));
    case Function::kSinh:
      return e.apply(Function::kCosh, x);
    case Function::kCosh:
      return e.apply(Function::kSinh, x);
    default:
      return -1;
  }
}

// d root / d symbol.
std::optional<int> derivative(Expr& e, int root, int name, Work& work) {
  std::map<int, int> d;
  const auto product = [&](int a, int b) { return e.binary(Kind::kProduct, a, b); };
  for (const int id : e.order(root)) {
    const Node node = e[id];
    int result = -1;
    switch (node.kind) {
      case Kind::kNumber:
      case Kind::kPi:
      case Kind::kEuler:
      case Kind::kImaginary:
        result = e.integer(0);
        break;
      case Kind::kSymbol:
        result = e.integer(node.data == name ? 1 : 0);
        break;
      case Kind::kNegate:
        result = e.unary(Kind::kNegate, d[node.a]);
        break;
      case Kind::kSum:
        result = e.binary(Kind::kSum, d[node.a], d[node.b]);
        break;
      case Kind::kProduct:
        result = e.binary(Kind::kSum, product(d[node.a], node.b), product(node.a, d[node.b]));
        break;
      case Kind::kDivide: {
        const int above =
            e.binary(Kind::kSum, product(d[node.a], node.b), e.unary(Kind::kNegate, product(node.a, d[node.b])));
        result = e.binary(Kind::kDivide, above, e.binary(Kind::kPower, node.b, e.integer(2)));
        break;
      }
      case Kind::kRoot:
      case Kind::kPower: {
        const bool is_root = node.kind == Kind::kRoot;
        const int base = is_root ? node.b : node.a;
        const int exponent = is_root ? e.binary(Kind::kDivide, e.integer(1), node.a) : node.b;
        if (free_symbols(e, exponent).empty()) {
          const int less = e.binary(Kind::kSum, exponent, e.integer(-1));
          result = product(product(exponent, e.binary(Kind::kPower, base, less)), d[base]);
        } else {  // u^v (v' ln u + v u'/u)
          const int log = product(d[node.b], e.apply(Function::kLn, base));
          const int rest = product(node.b, e.binary(Kind::kDivide, d[base], base));
          result = product(id, e.binary(Kind::kSum, log, rest));
        }
        break;
      }
      case Kind::kApply: {
        const int outer = node.b < 0 ? outer_derivative(e, static_cast<Function>(node.op), node.a) : -1;
        result = outer < 0 ? -1 : product(outer, d[node.a]);
        break;
      }
      default:
        break;
    }
    if (result < 0 || !work.spend(20)) {
      return std::nullopt;
    }
    d[id] = result;
  }
  return d[root];
}

}  // namespace

std::optional<int> expand_derivatives(Expr& expr, int root, Work& work) {
  if (!contains(expr, root, Kind::kDerivative)) {
    return root;
  }
  bool known = true;
  const int out = rewrite(expr, root, [&](int id, const std::vector<int>& children) -> std::optional<int> {
    if (expr[id].kind != Kind::kDerivative) {
      return std::nullopt;
    }
    const auto result = derivative(expr, children[0], expr[children[1]].data, work);
    known = known && result.has_value();
    return result;
  });
  return known ? std::optional(out) : std::nullopt;
}

}  // namespace plumb::math
