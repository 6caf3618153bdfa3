#include "reward/rules/math/compare.h"

#include <algorithm>

#include "reward/rules/math/caps.h"
#include "reward/rules/math/matrix.h"
#include "reward/rules/math/polynomial.h"
#include "reward/rules/math/rational_eval.h"
#include "reward/rules/math/real_set.h"
#include "reward/rules/math/relation.h"
#include "reward/rules/math/rewrite.h"
#include "reward/rules/math/units.h"
#include "reward/rules/math/view.h"

namespace plumb::math {

namespace {

Outcome different(const char* why) {
  return {MathVerdict::kNotEqual, why};
}

bool is_region(Kind kind) {
  return kind == Kind::kInterval || kind == Kind::kUnion || kind == Kind::kIntersection || kind == Kind::kDifference ||
         kind == Kind::kBuilder;
}

bool is_finite_collection(Kind kind) {
  return kind == Kind::kSet || kind == Kind::kList;
}

class Comparison {
 public:
  explicit Comparison(const Context& context) : c_(context) {}

  Outcome compare(int truth, int answer, int depth) {
    if (depth > kMaxStructureDepth || c_.work.exhausted()) {
      return {MathVerdict::kUndecided, "the budget of work or depth is spent"};
    }
    const auto left = expand_matrices(c_.expr, truth);
    const auto right = expand_matrices(c_.expr, answer);
    if (!left || !right) {
      return different("matrices whose shapes do not fit");
    }
    return compare_kinds(unwrapped(c_, *left), unwrapped(c_, *right), depth);
  }

 private:
  [[nodiscard]] Kind kind(int id) const { return c_.expr[id].kind; }

  template <typename Predicate>
  static bool either(int a, int b, Predicate predicate) {
    return predicate(a) || predicate(b);
  }

  Outcome compare_kinds(int truth, int answer, int depth) {
    const auto is = [&](Kind wanted) { return [&, wanted](int id) { return kind(id) == wanted; }; };
    if (either(truth, answer, is(Kind::kText))) {
      return texts(truth, answer);
    }
    if (either(truth, answer, is(Kind::kCongruence))) {
      return compare_congruences(c_, truth, answer);
    }
    const auto named_or_relation = [&](int id) {
      return kind(id) == Kind::kRelation || as_named(c_.expr, id).has_value();
    };
    if (either(truth, answer, named_or_relation)) {
      return relations(truth, answer, depth);
    }
    if (either(truth, answer, is(Kind::kRatio))) {
      return ratios(truth, answer, depth);
    }
    if (either(truth, answer,
               [&](int id) { return is_region(kind(id)) || kind(id) == Kind::kNamedSet || is_condition(id); })) {
      return regions(truth, answer, depth);
    }
    if (either(truth, answer,
               [&](int id) { return is_finite_collection(kind(id)) || contains(c_.expr, id, Kind::kPlusMinus); }) &&
        !(kind(truth) == Kind::kTuple && kind(answer) == Kind::kTuple)) {
      return collections(truth, answer, depth);
    }
    if (either(truth, answer, [&](int id) { return kind(id) == Kind::kTuple || kind(id) == Kind::kMatrix; })) {
      return sequences(truth, answer, depth);
    }
    return quantities(truth, answer);
  }

  // A list of inequalities.
  [[nodiscard]] bool is_condition(int id) const {
    if (kind(id) != Kind::kList) {
      return false;
    }
    const auto kids = c_.expr.kids(id);
    return std::all_of(kids.begin(), kids.end(), [&](int kid) { return is_inequality(c_.expr, kid); });
  }

  Outcome texts(int truth, int answer) const {
    const bool both = kind(truth) == kind(answer);
    return both && c_.expr.name(truth) == c_.expr.name(answer) ? Outcome{MathVerdict::kEqual, "the same words"}
                                                               : different("words that differ");
  }

  // One item after the other; the weakest verdict counts.
  Outcome in_order(const std::vector<int>& truth, const std::vector<int>& answer, int depth) {
    if (truth.size() != answer.size()) {
      return different("different numbers of items");
    }
    Outcome total{MathVerdict::kEqual, "item by item the same"};
    for (std::size_t i = 0; i < truth.size(); ++i) {
      const Outcome item = compare(truth[i], answer[i], depth + 1);
      if (item.verdict == MathVerdict::kNotEqual) {
        return {item.verdict, "item " + std::to_string(i + 1) + ": " + item.reason};
      }
      if (item.verdict == MathVerdict::kUndecided || total.verdict == MathVerdict::kEqual) {
        total = item.verdict == MathVerdict::kEqual ? total : item;
      }
    }
    return total;
  }

  // Every item of one has an equal in the other: a set where `once` is false, else each is used only once.
  Outcome any_order(const std::vector<int>& truth, const std::vector<int>& answer, bool once, int depth) {
    if (once && truth.size() != answer.size()) {
      return different("different numbers of items");
    }
    std::vector<char> used(answer.size(), 0);
    Outcome total{MathVerdict::kEqual, "the same items"};
    for (const int item : truth) {
      Outcome best{MathVerdict::kNotEqual, "an item of the truth is missing"};
      for (std::size_t j = 0; j < answer.size() && !counts_as_equal(best); ++j) {
        if (once && used[j] != 0) {
          continue;
        }
        const Outcome found = compare(item, answer[j], depth + 1);
        if (counts_as_equal(found)) {
          used[j] = 1;
          best = found;
        } else if (found.verdict == MathVerdict::kUndecided) {
          best = found;
        }
      }
      if (!counts_as_equal(best)) {
        return best;
      }
      total = best.verdict == MathVerdict::kProbablyEqual ? best : total;
    }
    if (!once) {
      for (std::size_t j = 0; j < answer.size(); ++j) {
        const bool known = used[j] != 0 || std::any_of(truth.begin(), truth.end(), [&](int item) {
                             return counts_as_equal(compare(item, answer[j], depth + 1));
                           });
        if (!known) {
          return c_.work.exhausted() ? Outcome{MathVerdict::kUndecided, "the budget of work is spent"}
                                     : different("an item that the truth does not have");
        }
      }
    }
    return total;
  }

  Outcome collections(int truth, int answer, int depth) {
    const auto holds = [&](int id) {
      return is_finite_collection(kind(id)) || contains(c_.expr, id, Kind::kPlusMinus) || !is_structure(id);
    };
    if (!holds(truth) || !holds(answer)) {
      // (1, 2) is not {1, 2}; a point is a list of one.
      const bool listed = kind(truth) == Kind::kTuple || kind(answer) == Kind::kTuple;
      const int other = kind(truth) == Kind::kTuple ? answer : truth;
      const auto items = items_of(c_, other);
      if (!listed || items.size() != 1 || kind(items[0]) != Kind::kTuple) {
        return different("a collection against something else");
      }
      return compare(kind(truth) == Kind::kTuple ? truth : items[0], kind(truth) == Kind::kTuple ? items[0] : answer,
                     depth + 1);
    }
    const std::vector<int> left = items_of(c_, truth);
    const std::vector<int> right = items_of(c_, answer);
    const bool sets = kind(truth) == Kind::kSet || kind(answer) == Kind::kSet;
    const bool both_lists = kind(truth) == Kind::kList && kind(answer) == Kind::kList;
    if (left.size() == 1 && right.size() == 1 && !(left[0] == truth && right[0] == answer)) {
      return compare(left[0], right[0], depth + 1);
    }
    return both_lists && !c_.options.unordered_lists ? in_order(left, right, depth)
                                                     : any_order(left, right, !sets, depth);
  }

  [[nodiscard]] bool is_structure(int id) const {
    const Kind k = kind(id);
    return k == Kind::kTuple || k == Kind::kMatrix || k == Kind::kInterval || k == Kind::kRelation ||
           k == Kind::kText || k == Kind::kRatio;
  }

  // Tuples and matrices; a column or a row is a tuple.
  Outcome sequences(int truth, int answer, int depth) {
    const auto flat = [&](int id) {
      return kind(id) == Kind::kTuple ||
             (kind(id) == Kind::kMatrix && (c_.expr[id].a == 1 || c_.expr[id].a == c_.expr[id].count));
    };
    if (kind(truth) == Kind::kMatrix && kind(answer) == Kind::kMatrix) {
      if (c_.expr[truth].a != c_.expr[answer].a) {
        return different("matrices of different shapes");
      }
    } else if (!flat(truth) || !flat(answer)) {
      return different("a tuple or matrix against something else");
    }
    return in_order(c_.expr.kids(truth), c_.expr.kids(answer), depth);
  }

  Outcome regions(int truth, int answer, int depth) {
    if (kind(truth) == Kind::kNamedSet && kind(answer) == Kind::kNamedSet) {
      return c_.expr[truth].op == c_.expr[answer].op ? Outcome{MathVerdict::kEqual, "the same set"}
                                                     : different("different sets");
    }
    const auto left = real_set(c_, truth);
    const auto right = real_set(c_, answer);
    if (left && right) {
      if (const auto same = same_sets(c_, *left, *right)) {
        return *same ? Outcome{MathVerdict::kEqual, "the same set of real numbers"}
                     : different("different sets of real numbers");
      }
    }
    const auto finite = finite_operation(truth);
    const auto other = finite_operation(answer);
    if (finite && other) {
      return any_order(*finite, *other, false, depth);
    }
    return symbolic_regions(truth, answer, depth);
  }

  // The items of unions, intersections and differences of finite sets.
  std::optional<std::vector<int>> finite_operation(int id) {
    const Node node = c_.expr[id];
    if (node.kind == Kind::kSet) {
      return items_of(c_, id);
    }
    if (node.kind == Kind::kNamedSet && node.op == 0) {
      return std::vector<int>{};
    }
    if (node.kind != Kind::kUnion && node.kind != Kind::kIntersection && node.kind != Kind::kDifference) {
      return std::nullopt;
    }
    if (kind(node.a) != Kind::kSet || kind(node.b) != Kind::kSet) {
      return std::nullopt;
    }
    std::vector<int> left = items_of(c_, node.a);
    const std::vector<int> right = items_of(c_, node.b);
    if (node.kind == Kind::kUnion) {
      left.insert(left.end(), right.begin(), right.end());
      return left;
    }
    std::erase_if(left, [&](int item) {
      const bool inside =
          std::any_of(right.begin(), right.end(), [&](int r) { return counts_as_equal(compare(item, r, 1)); });
      return inside != (node.kind == Kind::kIntersection);
    });
    return left;
  }

  // Ends that are no constants: [a, b) against [a, b).
  Outcome symbolic_regions(int truth, int answer, int depth) {
    const Node left = c_.expr[truth];
    const Node right = c_.expr[answer];
    if (left.kind == Kind::kInterval && right.kind == Kind::kInterval) {
      return left.op == right.op ? in_order({left.a, left.b}, {right.a, right.b}, depth)
                                 : different("intervals with different ends");
    }
    if (is_condition(truth) && is_condition(answer) && left.op == right.op) {
      return any_order(c_.expr.kids(truth), c_.expr.kids(answer), true, depth);
    }
    if (left.kind == right.kind && (left.kind == Kind::kUnion || left.kind == Kind::kDifference)) {
      return left.kind == Kind::kUnion ? any_order({left.a, left.b}, {right.a, right.b}, true, depth)
                                       : in_order({left.a, left.b}, {right.a, right.b}, depth);
    }
    return different("a set of numbers against something else");
  }

  Outcome ratios(int truth, int answer, int depth) {
    const auto parts = [&](int id) { return kind(id) == Kind::kRatio ? c_.expr.kids(id) : std::vector<int>{}; };
    const auto left = parts(truth);
    const auto right = parts(answer);
    if (left.empty() || right.empty()) {
      const auto& ratio = left.empty() ? right : left;
      if (ratio.size() != 2) {
        return different("a ratio of several parts against a number");
      }
      const int quotient = c_.expr.binary(Kind::kDivide, ratio[0], ratio[1]);
      return left.empty() ? compare(truth, quotient, depth + 1) : compare(quotient, answer, depth + 1);
    }
    if (left.size() != right.size()) {
      return different("ratios of different numbers of parts");
    }
    // By quotients, not by cross products: 0:0 would be every ratio.
    const auto quotients = [&](const std::vector<int>& all) {
      std::vector<int> out;
      for (std::size_t i = 1; i < all.size(); ++i) {
        out.push_back(c_.expr.binary(Kind::kDivide, all[i], all[0]));
      }
      return out;
    };
    return in_order(quotients(left), quotients(right), depth);
  }

  Outcome named(const Named& truth, const Named& answer, int depth) {
    std::vector<int> left;
    std::vector<int> right;
    for (const auto& [name, value] : truth) {
      const auto found =
          std::find_if(answer.begin(), answer.end(), [&, &wanted = name](const auto& a) { return a.first == wanted; });
      if (found == answer.end() || truth.size() != answer.size()) {
        return different("values of different symbols");
      }
      left.push_back(value);
      right.push_back(found->second);
    }
    return in_order(left, right, depth);
  }

  // Assignments against anything that is none: their values, in order against a tuple, in any order against a list.
  Outcome values_only(const Named& names, bool truth_is_named, int other, int depth) {
    std::vector<int> values;
    for (const auto& [name, value] : names) {
      values.push_back(value);
    }
    const Kind k = kind(other);
    if (values.size() == 1) {
      return truth_is_named ? compare(values[0], other, depth + 1) : compare(other, values[0], depth + 1);
    }
    if (k != Kind::kTuple && k != Kind::kList && k != Kind::kSet) {
      return different("several values against one");
    }
    const auto items = k == Kind::kTuple ? c_.expr.kids(other) : items_of(c_, other);
    const auto& left = truth_is_named ? values : items;
    const auto& right = truth_is_named ? items : values;
    return k == Kind::kTuple ? in_order(left, right, depth) : any_order(left, right, true, depth);
  }

  Outcome relations(int truth, int answer, int depth) {
    const auto left = as_named(c_.expr, truth);
    const auto right = as_named(c_.expr, answer);
    const bool equations = is_equation(c_.expr, truth) && is_equation(c_.expr, answer);
    if (left && right) {
      const bool same = std::all_of(left->begin(), left->end(), [&](const auto& l) {
        return std::any_of(right->begin(), right->end(), [&](const auto& r) { return r.first == l.first; });
      });
      if (same || !equations) {
        return named(*left, *right, depth);
      }
    }
    if (equations) {
      return compare_equation_pair(c_, truth, answer);
    }
    if (left && kind(answer) != Kind::kRelation) {
      return values_only(*left, true, answer, depth);
    }
    if (right && kind(truth) != Kind::kRelation) {
      return values_only(*right, false, truth, depth);
    }
    if (is_inequality(c_.expr, truth) || is_inequality(c_.expr, answer)) {
      return compare_inequalities(c_, truth, answer);
    }
    return different("a relation against something else");
  }

  Outcome quantities(int truth, int answer) {
    truth = without_radians(truth);
    answer = without_radians(answer);
    const auto split = [&](int id, Unit& unit) {
      const bool has = kind(id) == Kind::kQuantity;
      if (has) {
        unit = read_unit(c_.expr.name(id));
      }
      return has ? c_.expr[id].a : id;
    };
    Unit left;
    Unit right;
    const int a = split(truth, left);
    const int b = split(answer, right);
    if (a != truth && b != answer) {
      return both_units(a, left, b, right);
    }
    if (a != truth || b != answer) {
      const bool first = a != truth;
      Unit letter;
      const int number = without_letter_unit(first ? b : a, letter);
      if (number >= 0 && letter.same_kind(first ? left : right)) {
        return first ? both_units(a, left, number, letter) : both_units(number, letter, b, right);
      }
      const Unit& unit = a != truth ? left : right;
      if (unit.is_degree() && c_.options.convert_units) {
        if (const Outcome radians = compare_scalars(c_, truth, answer); counts_as_equal(radians)) {
          return radians;
        }
      }
      return c_.options.optional_unit ? percentages(a, b) : different("a unit on one side only");
    }
    return percentages(truth, answer);
  }

  // 2 L is a product as long as nothing beside it says that L is a unit: the number, or -1 where it is none.
  int without_letter_unit(int id, Unit& unit) const {
    const Node& node = c_.expr[id];
    if (node.kind != Kind::kProduct || kind(node.b) != Kind::kSymbol || !free_symbols(c_.expr, node.a).empty()) {
      return -1;
    }
    unit = read_unit(c_.expr.name(node.b));
    return unit.known ? node.a : -1;
  }

  // A number of radians is that number.
  [[nodiscard]] int without_radians(int id) const {
    while (kind(id) == Kind::kQuantity && (c_.expr.name(id) == "radians" || c_.expr.name(id) == "rad")) {
      id = c_.expr[id].a;
    }
    return id;
  }

  Outcome both_units(int a, const Unit& left, int b, const Unit& right) {
    if (!left.same_kind(right)) {
      return different("units of different kinds");
    }
    if (left.factor == right.factor) {
      return percentages(a, b);
    }
    if (!c_.options.convert_units) {
      return different("different units");
    }
    Expr& e = c_.expr;
    return compare_scalars(c_, e.binary(Kind::kProduct, a, e.number(left.factor)),
                           e.binary(Kind::kProduct, b, e.number(right.factor)));
  }

  Outcome percentages(int truth, int answer) {
    const bool bare = kind(truth) == Kind::kPercent && kind(answer) != Kind::kPercent;
    if (bare && c_.options.bare_percent) {
      if (const Outcome number = compare_scalars(c_, c_.expr[truth].a, answer); counts_as_equal(number)) {
        return number;
      }
    }
    return compare_scalars(c_, truth, answer);
  }

  const Context& c_;
};

}  // namespace

Outcome compare_trees(const Context& context, int truth, int answer) {
  return Comparison(context).compare(truth, answer, 0);
}

}  // namespace plumb::math
