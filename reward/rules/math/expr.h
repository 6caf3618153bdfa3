#pragma once
// The typed tree of an answer. Nodes live in one arena and name their children by index; a child's index is always
// smaller than its parent's, so every pass over a tree is a loop and depth costs nothing.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "reward/rules/math/rational.h"

namespace plumb::math {

enum class Kind : std::uint8_t {
  kNumber,  // data: number; count: significant digits if it was written as a decimal, else 0; a: decimal places
  kSymbol,  // data: name
  kPi,
  kEuler,
  kImaginary,
  kInfinity,
  kSum,      // a + b
  kProduct,  // a b
  kNegate,
  kDivide,  // a / b
  kPower,   // a ^ b; roots are powers
  kRoot,    // a-th root of b, real for an odd a and a negative b
  kApply,   // op: Function; a, b: arguments (b: base of log, index, second argument); data: name of kCall
  kFactorial,
  kDoubleFactorial,
  kPlusMinus,  // a with both signs; op 1: minus-plus
  kPercent,
  kQuantity,  // a with a unit; data: name
  kBased,     // a number written in another base: a
  kTuple,     // kids
  kList,      // kids, written with bare commas or "and", "or"
  kSet,       // kids
  kInterval,  // a, b; op: bit 0 closed below, bit 1 closed above
  kMatrix,    // kids by rows; count: rows * columns; a: rows
  kRelation,  // kids; data2: first of its relation signs
  kUnion,     // a, b
  kIntersection,
  kDifference,
  kNamedSet,  // op: N Z Q R C, or 0 for the empty set
  kBuilder,   // the set of all a that satisfy b
  kText,      // data: name
  kRatio,     // kids
  kBigSum,    // kids: bound symbol, lower, upper, body
  kBigProduct,
  kIntegral,    // kids: symbol, body [, lower, upper]
  kDerivative,  // a by symbol b
  kModulo,      // a mod b as a value
  kCongruence,  // a relation modulo b
};

enum class Function : std::uint8_t {
  kSin,
  kCos,
  kTan,
  kCot,
  kSec,
  kCsc,
  kAsin,
  kAcos,
  kAtan,
  kAcot,
  kAsec,
  kAcsc,
  kSinh,
  kCosh,
  kTanh,
  kCoth,
  kAsinh,
  kAcosh,
  kAtanh,
  kExp,
  kLn,
  kLog,
  kLg,
  kAbs,
  kFloor,
  kCeil,
  kSign,
  kBinomial,
  kPermutations,
  kGcd,
  kLcm,
  kMax,
  kMin,
  kRe,
  kIm,
  kArg,
  kConjugate,
  kPhi,
  kDet,
  kTranspose,
  kGamma,
  kCall,
};

/// Node::op of a list joined by "or".
inline constexpr std::uint8_t kJoinedByOr = 2;

enum class Sign : std::uint8_t { kEqual, kNotEqual, kLess, kLessEqual, kGreater, kGreaterEqual, kIn, kCongruent };

struct Node {
  Kind kind = Kind::kNumber;
  std::uint8_t op = 0;
  std::int16_t depth = 0;  // nesting of structures
  std::int32_t a = -1;
  std::int32_t b = -1;
  std::int32_t data = -1;   // number or name, or the first of the kids
  std::int32_t count = 0;   // number of kids
  std::int32_t data2 = -1;  // first relation sign
  std::int32_t begin = 0;   // no node below has a smaller index
};

class Expr {
 public:
  [[nodiscard]] const Node& operator[](int id) const { return nodes_[static_cast<std::size_t>(id)]; }
  [[nodiscard]] int size() const { return static_cast<int>(nodes_.size()); }
  void clear();

  int number(Rational value, int digits = 0, int places = 0);
  int integer(slong value) { return number(Rational(value)); }
  int leaf(Kind kind, std::uint8_t op = 0);
  int named(Kind kind, const std::string& name, int child = -1);
  int unary(Kind kind, int a, std::uint8_t op = 0);
  int binary(Kind kind, int a, int b, std::uint8_t op = 0);
  int apply(Function function, int a, int b = -1) {
    return binary(Kind::kApply, a, b, static_cast<std::uint8_t>(function));
  }
  int named_call(const std::string& name, int arguments);
  int many(Kind kind, const std::vector<int>& kids, std::uint8_t op = 0);
  int matrix(const std::vector<int>& cells, int rows);
  int relation(const std::vector<int>& sides, const std::vector<Sign>& signs);
  /// The node `id` with its children replaced (a, b and the kids in their order).
  int rebuilt(int id, const std::vector<int>& children);

  [[nodiscard]] const Rational& value(int id) const { return numbers_[static_cast<std::size_t>((*this)[id].data)]; }
  [[nodiscard]] const std::string& name(int id) const { return names_[static_cast<std::size_t>((*this)[id].data)]; }
  [[nodiscard]] int kid(int id, int i) const { return kids_[static_cast<std::size_t>((*this)[id].data + i)]; }
  [[nodiscard]] std::vector<int> kids(int id) const;
  [[nodiscard]] Sign sign(int id, int i) const { return signs_[static_cast<std::size_t>((*this)[id].data2 + i)]; }
  [[nodiscard]] Function function(int id) const { return static_cast<Function>((*this)[id].op); }
  [[nodiscard]] bool has_kids(int id) const;

  /// Children in the order a, b, kids.
  template <typename Visit>
  void for_children(int id, Visit visit) const {
    const Node& node = (*this)[id];
    if (has_kids(id)) {
      for (int i = 0; i < node.count; ++i) {
        visit(kid(id, i));
      }
      return;
    }
    if (node.a >= 0 && node.kind != Kind::kNumber) {
      visit(node.a);
    }
    if (node.b >= 0 && node.kind != Kind::kNumber) {
      visit(node.b);
    }
  }

  /// The nodes below and including `root`, children first.
  [[nodiscard]] std::vector<int> order(int root) const;
  /// Whether the nodes and the depth of structures are within the caps.
  [[nodiscard]] bool within_caps() const { return within_caps_; }

 private:
  int add(Node node);
  int name_index(const std::string& name);

  std::vector<Node> nodes_;
  std::vector<Rational> numbers_;
  std::vector<std::string> names_;
  std::map<std::string, int> name_ids_;
  std::vector<int> kids_;
  std::vector<Sign> signs_;
  bool within_caps_ = true;
};

}  // namespace plumb::math
