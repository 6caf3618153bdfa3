#include "reward/rules/math/real_set.h"

#include <algorithm>

#include "reward/rules/math/inequality.h"
#include "reward/rules/math/rewrite.h"

namespace plumb::math {

namespace {

// Thrown away with the whole computation when two ends cannot be ordered.
struct Unordered {};

class SetAlgebra {
 public:
  explicit SetAlgebra(const Context& context) : c_(context) {}

  int compare(int a, int b) const {
    const auto order = order_of(c_, a, b);
    if (!order || c_.work.exhausted()) {
      throw Unordered{};
    }
    return *order;
  }

  // Order of lower ends: first the smaller, of equal ones the closed.
  bool starts_before(const Piece& a, const Piece& b) const {
    if (a.low < 0 || b.low < 0) {
      return a.low < 0 && b.low >= 0;
    }
    const int order = compare(a.low, b.low);
    return order != 0 ? order < 0 : a.low_closed && !b.low_closed;
  }
  bool ends_before(const Piece& a, const Piece& b) const {
    if (a.high < 0 || b.high < 0) {
      return b.high < 0 && a.high >= 0;
    }
    const int order = compare(a.high, b.high);
    return order != 0 ? order < 0 : !a.high_closed && b.high_closed;
  }
  bool empty(const Piece& p) const {
    if (p.low < 0 || p.high < 0) {
      return false;
    }
    const int order = compare(p.low, p.high);
    return order > 0 || (order == 0 && !(p.low_closed && p.high_closed));
  }
  // Whether b begins inside a or right behind it.
  bool touches(const Piece& a, const Piece& b) const {
    if (a.high < 0 || b.low < 0) {
      return true;
    }
    const int order = compare(b.low, a.high);
    return order < 0 || (order == 0 && (a.high_closed || b.low_closed));
  }

  RealSet normal(RealSet pieces) const {
    std::erase_if(pieces, [&](const Piece& p) { return empty(p); });
    constexpr std::size_t kMostPieces = 200;
    if (pieces.size() > kMostPieces) {
      throw Unordered{};
    }
    // Insertion sort: a comparator that may throw or be inconsistent is not for std::sort.
    RealSet sorted;
    for (const Piece& p : pieces) {
      std::size_t at = sorted.size();
      while (at > 0 && starts_before(p, sorted[at - 1])) {
        --at;
      }
      sorted.insert(sorted.begin() + static_cast<std::ptrdiff_t>(at), p);
    }
    RealSet out;
    for (const Piece& p : sorted) {
      if (out.empty() || !touches(out.back(), p)) {
        out.push_back(p);
      } else if (ends_before(out.back(), p)) {
        out.back().high = p.high;
        out.back().high_closed = p.high_closed;
      }
    }
    return out;
  }

  RealSet united(RealSet a, const RealSet& b) const {
    a.insert(a.end(), b.begin(), b.end());
    return normal(std::move(a));
  }

  RealSet common(const RealSet& a, const RealSet& b) const {
    RealSet out;
    for (const Piece& p : a) {
      for (const Piece& q : b) {
        const Piece& low = starts_before(p, q) ? q : p;
        const Piece& high = ends_before(p, q) ? p : q;
        out.push_back({low.low, high.high, low.low_closed, high.high_closed});
      }
    }
    return normal(std::move(out));
  }

  // `a` is in normal form.
  static RealSet complement(const RealSet& a) {
    RealSet out;
    Piece rest;
    bool open = true;
    for (const Piece& p : a) {
      if (p.low >= 0) {
        rest.high = p.low;
        rest.high_closed = !p.low_closed;
        out.push_back(rest);
      }
      rest = Piece{p.high, -1, !p.high_closed, false};
      open = p.high >= 0;
    }
    if (open) {
      out.push_back(rest);
    }
    return out;
  }

  RealSet build(int id, int depth) {
    constexpr int kDeepest = 40;
    if (depth > kDeepest) {
      throw Unordered{};
    }
    const Expr& e = c_.expr;
    const Node node = e[id];
    switch (node.kind) {
      case Kind::kInterval:
        return normal({piece(node.a, node.b, (node.op & 1) != 0, (node.op & 2) != 0)});
      case Kind::kTuple:
        if (node.count != 2) {
          throw Unordered{};
        }
        return normal({piece(e.kid(id, 0), e.kid(id, 1), false, false)});
      case Kind::kSet: {
        RealSet points;
        for (const int kid : e.kids(id)) {
          for (const int item : expand_signs(c_.expr, kid)) {
            points.push_back(point(item));
          }
        }
        return normal(std::move(points));
      }
      case Kind::kNamedSet:
        if (node.op != 0 && node.op != 'R') {
          throw Unordered{};
        }
        return node.op == 0 ? RealSet{} : RealSet{Piece{}};
      case Kind::kUnion:
        return united(build(node.a, depth + 1), build(node.b, depth + 1));
      case Kind::kIntersection:
        return common(build(node.a, depth + 1), build(node.b, depth + 1));
      case Kind::kDifference:
        return common(build(node.a, depth + 1), complement(build(node.b, depth + 1)));
      case Kind::kBuilder:
        return build(node.b, depth + 1);
      case Kind::kRelation:
        return relation(id, depth);
      case Kind::kList:
        return list(id, depth);
      default:
        return {point(id)};
    }
  }

 private:
  Piece point(int id) const {
    if (!order_of(c_, id, id)) {
      throw Unordered{};
    }
    return {id, id, true, true};
  }

  Piece piece(int low, int high, bool low_closed, bool high_closed) const {
    const int left = infinity_sign(c_.expr, low);
    const int right = infinity_sign(c_.expr, high);
    if (left > 0 || right < 0) {
      throw Unordered{};
    }
    return {left < 0 ? -1 : low, right > 0 ? -1 : high, left < 0 ? false : low_closed, right > 0 ? false : high_closed};
  }

  RealSet list(int id, int depth) {
    const Node node = c_.expr[id];
    RealSet all;
    RealSet both = {Piece{}};
    for (const int kid : c_.expr.kids(id)) {
      const bool condition = c_.expr[kid].kind == Kind::kRelation;
      if (!condition) {
        throw Unordered{};
      }
      const RealSet part = build(kid, depth + 1);
      all = united(all, part);
      both = common(both, part);
    }
    return node.op == kJoinedByOr || both.empty() ? all : both;
  }

  RealSet relation(int id, int depth) {
    RealSet out = {Piece{}};
    for (int i = 0; i + 1 < c_.expr[id].count; ++i) {
      const Sign sign = c_.expr.sign(id, i);
      const int left = c_.expr.kid(id, i);
      const int right = c_.expr.kid(id, i + 1);
      if (sign == Sign::kIn) {
        if (c_.expr[left].kind != Kind::kSymbol) {
          throw Unordered{};
        }
        out = common(out, build(right, depth + 1));
        continue;
      }
      const auto solved = solve_relation(c_, left, sign, right);
      if (!solved) {
        throw Unordered{};
      }
      RealSet part;
      for (const Piece& p : solved->pieces) {
        part.push_back(p);
      }
      out = common(out, solved->negated ? complement(normal(part)) : normal(part));
    }
    return out;
  }

  const Context& c_;
};

}  // namespace

std::optional<RealSet> real_set(const Context& context, int id) {
  if (free_symbols(context.expr, id).size() > 1) {
    return std::nullopt;  // a < 1 < b is no set of numbers
  }
  try {
    return SetAlgebra(context).build(id, 0);
  } catch (const Unordered&) {
    return std::nullopt;
  }
}

std::optional<bool> same_sets(const Context& context, const RealSet& a, const RealSet& b) {
  if (a.size() != b.size()) {
    return false;
  }
  const auto same_end = [&](int x, int y) -> std::optional<bool> {
    if (x < 0 || y < 0) {
      return x < 0 && y < 0;
    }
    const auto order = order_of(context, x, y);
    return order ? std::optional(*order == 0) : std::nullopt;
  };
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto low = same_end(a[i].low, b[i].low);
    const auto high = same_end(a[i].high, b[i].high);
    if (!low || !high) {
      return std::nullopt;
    }
    if (!*low || !*high || a[i].low_closed != b[i].low_closed || a[i].high_closed != b[i].high_closed) {
      return false;
    }
  }
  return true;
}

}  // namespace plumb::math
