#include "reward/rules/math/view.h"

#include <algorithm>

#include "reward/rules/math/rewrite.h"

namespace plumb::math {

namespace {

// The name on one side of an assignment, if it is one: a symbol, a text, f(...), or capitals side by side (AB).
std::optional<std::string> side_name(const Expr& expr, int id) {
  const Node& node = expr[id];
  if (node.kind == Kind::kSymbol || node.kind == Kind::kText) {
    return expr.name(id);
  }
  if (node.kind == Kind::kApply && expr.function(id) == Function::kCall) {
    return expr.name(id);
  }
  // \\angle ABC and its kin.
  int first = id;
  for (int factors = 0; factors < 6 && expr[first].kind == Kind::kProduct; ++factors) {
    first = expr[first].a;
  }
  if (expr[first].kind == Kind::kSymbol && (expr.name(first) == "angle" || expr.name(first) == "triangle")) {
    return expr.name(first);
  }
  // At most three capitals, read from the right.
  std::string capitals;
  const auto capital = [&](int factor) {
    const bool is = expr[factor].kind == Kind::kSymbol && expr.name(factor).size() == 1 &&
                    expr.name(factor)[0] >= 'A' && expr.name(factor)[0] <= 'Z';
    capitals.insert(0, is ? expr.name(factor) : "");
    return is;
  };
  int left = id;
  while (expr[left].kind == Kind::kProduct && capitals.size() < 3 && capital(expr[left].b)) {
    left = expr[left].a;
  }
  if (!capitals.empty() && capitals.size() < 4 && capital(left)) {
    return capitals;
  }
  return std::nullopt;
}

std::string chain_name(const Expr& expr, int id) {
  return side_name(expr, expr.kid(id, 0)).value_or("");
}

}  // namespace

bool is_equation(const Expr& expr, int id) {
  if (expr[id].kind != Kind::kRelation) {
    return false;
  }
  for (int i = 0; i + 1 < expr[id].count; ++i) {
    if (expr.sign(id, i) != Sign::kEqual) {
      return false;
    }
  }
  return true;
}

bool is_inequality(const Expr& expr, int id) {
  if (expr[id].kind != Kind::kRelation) {
    return false;
  }
  for (int i = 0; i + 1 < expr[id].count; ++i) {
    if (expr.sign(id, i) != Sign::kEqual && expr.sign(id, i) != Sign::kIn && expr.sign(id, i) != Sign::kCongruent) {
      return true;
    }
  }
  return false;
}

std::optional<std::pair<std::string, int>> as_assignment(const Expr& expr, int id) {
  if (!is_equation(expr, id)) {
    return std::nullopt;
  }
  const int last = expr.kid(id, expr[id].count - 1);
  if (const std::string name = chain_name(expr, id); !name.empty()) {
    return std::pair(name, last);
  }
  const auto right = side_name(expr, last);
  if (expr[id].count == 2 && right && free_symbols(expr, expr.kid(id, 0)).empty()) {
    return std::pair(*right, expr.kid(id, 0));
  }
  return std::nullopt;
}

std::optional<Named> as_named(const Expr& expr, int id) {
  constexpr int kMostNames = 200;
  const Node& node = expr[id];
  Named named;
  if (is_equation(expr, id) && node.count == 2 && expr[expr.kid(id, 0)].kind == Kind::kTuple) {
    const int names = expr.kid(id, 0);
    const int values = expr.kid(id, 1);
    if (expr[values].kind != Kind::kTuple || expr[values].count != expr[names].count) {
      return std::nullopt;
    }
    for (int i = 0; i < expr[names].count; ++i) {
      const auto name = side_name(expr, expr.kid(names, i));
      if (!name) {
        return std::nullopt;
      }
      named.emplace_back(*name, expr.kid(values, i));
    }
  } else if (const auto single = as_assignment(expr, id)) {
    named.push_back(*single);
  } else if (node.count <= kMostNames &&
             (node.kind == Kind::kList || node.kind == Kind::kTuple || node.kind == Kind::kSet)) {
    for (const int kid : expr.kids(id)) {
      const auto assignment = as_assignment(expr, kid);
      if (!assignment) {
        return std::nullopt;
      }
      named.push_back(*assignment);
    }
  }
  for (std::size_t i = 0; i < named.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (named[i].first == named[j].first) {
        return std::nullopt;
      }
    }
  }
  return named.empty() ? std::nullopt : std::optional(named);
}

int unwrapped(const Context& c, int id) {
  Expr& e = c.expr;
  constexpr int kMostLayers = 100;
  for (int layer = 0; layer < kMostLayers; ++layer) {
    const Node node = e[id];
    if ((node.kind == Kind::kList || node.kind == Kind::kTuple) && node.count == 1) {
      id = e.kid(id, 0);
    } else if (node.kind == Kind::kNegate && (e[node.a].kind == Kind::kQuantity || e[node.a].kind == Kind::kPercent)) {
      const Node inner = e[node.a];
      const int negated = e.unary(Kind::kNegate, inner.a);
      id = inner.kind == Kind::kPercent ? e.unary(Kind::kPercent, negated)
                                        : e.named(Kind::kQuantity, e.name(node.a), negated);
    } else if (node.kind == Kind::kRelation && node.count == 2 && e.sign(id, 0) == Sign::kIn &&
               e[e.kid(id, 0)].kind == Kind::kSymbol) {
      id = e.kid(id, 1);
    } else if (is_equation(e, id) && !as_assignment(e, id) && free_symbols(e, id).empty() &&
               e[e.kid(id, 0)].kind != Kind::kTuple) {
      for (int i = 0; i + 1 < node.count; ++i) {
        if (!counts_as_equal(compare_scalars(c, e.kid(id, i), e.kid(id, i + 1)))) {
          return id;  // 2^3 = 9 means nothing
        }
      }
      id = e.kid(id, node.count - 1);
    } else {
      return id;
    }
  }
  return id;
}

std::vector<int> items_of(const Context& c, int id) {
  Expr& e = c.expr;
  const Kind kind = e[id].kind;
  const bool holds = kind == Kind::kList || kind == Kind::kSet || kind == Kind::kTuple;
  std::vector<int> raw = holds ? e.kids(id) : std::vector<int>{id};
  if (const auto first = as_assignment(e, raw[0])) {
    std::vector<int> values;
    bool one_name = true;
    for (const int item : raw) {
      const auto assignment = as_assignment(e, item);
      one_name = one_name && (assignment ? assignment->first == first->first : e[item].kind != Kind::kRelation);
      values.push_back(assignment ? assignment->second : item);
    }
    raw = one_name ? values : raw;
  }
  std::vector<int> items;
  for (const int item : raw) {
    const int inner = unwrapped(c, item);
    if (holds && e[inner].kind == Kind::kList && !contains(e, inner, Kind::kPlusMinus)) {
      const auto nested = e.kids(inner);
      items.insert(items.end(), nested.begin(), nested.end());
      continue;
    }
    for (const int signed_item : expand_signs(e, inner)) {
      items.push_back(signed_item);
    }
  }
  return items;
}

}  // namespace plumb::math
