#include "reward/rules/math/polynomial.h"

#include <flint/fmpq_mpoly.h>

#include <cmath>
#include <map>
#include <memory>
#include <optional>
#include <tuple>
#include <vector>

#include "reward/rules/math/caps.h"

namespace plumb::math {

namespace {

constexpr double kMaxTerms = 20000;

// Gives equal trees equal numbers.
class Classes {
 public:
  explicit Classes(const Expr& expr) : expr_(expr) {}

  int of(int id) {
    for (const int node : expr_.order(id)) {
      if (!classes_.contains(node)) {
        classes_[node] = classify(node);
      }
    }
    return classes_[id];
  }

 private:
  int classify(int id) {
    const Node& node = expr_[id];
    std::vector<int> key = {static_cast<int>(node.kind), node.op};
    if (node.kind == Kind::kNumber) {
      char* const text = fmpq_get_str(nullptr, 10, expr_.value(id).get());
      const auto [place, fresh] = numbers_.try_emplace(text, static_cast<int>(numbers_.size()));
      flint_free(text);
      key.push_back(place->second);
    } else {
      const bool named = !expr_.has_kids(id);
      key.push_back(named ? node.data : node.count);
      const std::size_t first = key.size();
      expr_.for_children(id, [&](int child) { key.push_back(classes_[child]); });
      const bool commutes = node.kind == Kind::kSum || node.kind == Kind::kProduct;
      if (commutes && key[first] > key[first + 1]) {
        std::swap(key[first], key[first + 1]);
      }
    }
    return keys_.try_emplace(key, static_cast<int>(keys_.size())).first->second;
  }

  const Expr& expr_;
  std::map<int, int> classes_;
  std::map<std::vector<int>, int> keys_;
  std::map<std::string, int> numbers_;
};

bool is_ring_node(const Expr& expr, int id) {
  switch (expr[id].kind) {
    case Kind::kNumber:
    case Kind::kSum:
    case Kind::kProduct:
    case Kind::kNegate:
    case Kind::kDivide:
    case Kind::kBased:
    case Kind::kPercent:
      return true;
    case Kind::kPower: {
      int exponent = expr[id].b;
      exponent = expr[exponent].kind == Kind::kNegate ? expr[exponent].a : exponent;
      return expr[exponent].kind == Kind::kNumber && expr.value(exponent).fits_int();
    }
    default:
      return false;
  }
}

// The generators of both sides.
struct Generators {
  std::map<int, slong> index;  // by class
  bool symbols_only = true;
};

// The nodes that the ring operations of a tree reach, children first.
std::vector<int> ring_order(const Expr& expr, int root) {
  std::vector<char> needed(static_cast<std::size_t>(root - expr[root].begin + 1), 0);
  const int begin = expr[root].begin;
  needed.back() = 1;
  for (int id = root; id >= begin; --id) {
    if (needed[static_cast<std::size_t>(id - begin)] == 0 || !is_ring_node(expr, id)) {
      continue;
    }
    const Node& node = expr[id];
    if (node.kind != Kind::kNumber) {
      needed[static_cast<std::size_t>(node.a - begin)] = 1;
      if (node.b >= 0 && node.kind != Kind::kPower) {
        needed[static_cast<std::size_t>(node.b - begin)] = 1;
      }
    }
  }
  std::vector<int> order;
  for (int id = begin; id <= root; ++id) {
    if (needed[static_cast<std::size_t>(id - begin)] != 0) {
      order.push_back(id);
    }
  }
  return order;
}

void collect(const Expr& expr, int root, Classes& classes, Generators& generators) {
  for (const int id : ring_order(expr, root)) {
    if (!is_ring_node(expr, id)) {
      generators.index.try_emplace(classes.of(id), static_cast<slong>(generators.index.size()));
      generators.symbols_only = generators.symbols_only && expr[id].kind == Kind::kSymbol;
    }
  }
}

class Ring {
 public:
  explicit Ring(slong variables) { fmpq_mpoly_ctx_init(context_, variables, ORD_LEX); }
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;
  ~Ring() { fmpq_mpoly_ctx_clear(context_); }
  fmpq_mpoly_ctx_struct* get() { return context_; }

 private:
  fmpq_mpoly_ctx_t context_;
};

class Poly {
 public:
  explicit Poly(Ring& ring) : ring_(&ring) { fmpq_mpoly_init(p_, ring.get()); }
  Poly(const Poly& other) : Poly(*other.ring_) { fmpq_mpoly_set(p_, other.p_, ring_->get()); }
  Poly& operator=(const Poly& other) {
    fmpq_mpoly_set(p_, other.p_, ring_->get());
    return *this;
  }
  ~Poly() { fmpq_mpoly_clear(p_, ring_->get()); }
  fmpq_mpoly_struct* get() { return p_; }
  [[nodiscard]] double terms() const { return static_cast<double>(fmpq_mpoly_length(p_, ring_->get())); }
  [[nodiscard]] bool is_zero() const { return fmpq_mpoly_is_zero(p_, ring_->get()) != 0; }
  [[nodiscard]] bool is_constant() const { return fmpq_mpoly_is_fmpq(p_, ring_->get()) != 0; }

 private:
  Ring* ring_;
  fmpq_mpoly_t p_;
};

struct Fraction {
  Poly above;
  Poly below;
  bool ok = false;
};

class Builder {
 public:
  Builder(const Expr& expr, Classes& classes, const Generators& generators, Ring& ring, Work& work)
      : expr_(expr), classes_(classes), generators_(generators), ring_(ring), work_(work) {}

  Fraction build(int root) {
    constexpr std::size_t kMostNodes = 4000;
    const int begin = expr_[root].begin;
    const std::vector<int> nodes = ring_order(expr_, root);
    if (nodes.size() > kMostNodes) {
      return Fraction{Poly(ring_), Poly(ring_), false};
    }
    std::vector<std::unique_ptr<Fraction>> slots(static_cast<std::size_t>(root - begin + 1));
    for (const int id : nodes) {
      auto fraction = std::make_unique<Fraction>(Fraction{Poly(ring_), Poly(ring_), false});
      const auto at = [&](int child) -> Fraction& { return *slots[static_cast<std::size_t>(child - begin)]; };
      fraction->ok = work_.spend(50) && fill(id, at, *fraction) && !fraction->below.is_zero();
      slots[static_cast<std::size_t>(id - begin)] = std::move(fraction);
      if (!slots[static_cast<std::size_t>(id - begin)]->ok) {
        return Fraction{Poly(ring_), Poly(ring_), false};
      }
    }
    return std::move(*slots.back());
  }

  bool multiply(Poly& out, Poly& a, Poly& b) {
    if (a.terms() * b.terms() > kMaxTerms * 10 || !work_.spend(static_cast<std::int64_t>(a.terms() * b.terms() * 5))) {
      return false;
    }
    fmpq_mpoly_mul(out.get(), a.get(), b.get(), ring_.get());
    return out.terms() <= kMaxTerms;
  }

 private:
  template <typename At>
  bool fill(int id, const At& at, Fraction& out) {
    const Node& node = expr_[id];
    fmpq_mpoly_one(out.below.get(), ring_.get());
    if (!is_ring_node(expr_, id)) {
      fmpq_mpoly_gen(out.above.get(), generators_.index.at(classes_.of(id)), ring_.get());
      return true;
    }
    switch (node.kind) {
      case Kind::kNumber:
        fmpq_mpoly_set_fmpq(out.above.get(), expr_.value(id).get(), ring_.get());
        return true;
      case Kind::kBased:
      case Kind::kNegate:
      case Kind::kPercent:
        out.below = at(node.a).below;
        fmpq_mpoly_scalar_mul_si(out.above.get(), at(node.a).above.get(), node.kind == Kind::kNegate ? -1 : 1,
                                 ring_.get());
        if (node.kind == Kind::kPercent) {
          fmpq_mpoly_scalar_div_si(out.above.get(), out.above.get(), 100, ring_.get());
        }
        return true;
      case Kind::kSum:
        return sum(at(node.a), at(node.b), out);
      case Kind::kProduct:
        return multiply(out.above, at(node.a).above, at(node.b).above) &&
               multiply(out.below, at(node.a).below, at(node.b).below);
      case Kind::kDivide:
        return multiply(out.above, at(node.a).above, at(node.b).below) &&
               multiply(out.below, at(node.a).below, at(node.b).above);
      default:
        return power(at(node.a), node.b, out);
    }
  }

  bool sum(Fraction& a, Fraction& b, Fraction& out) {
    if (fmpq_mpoly_equal(a.below.get(), b.below.get(), ring_.get()) != 0) {
      out.below = a.below;
      fmpq_mpoly_add(out.above.get(), a.above.get(), b.above.get(), ring_.get());
      return work_.spend(static_cast<std::int64_t>(a.above.terms() + b.above.terms()) * 2);
    }
    Poly left(ring_);
    Poly right(ring_);
    if (!multiply(left, a.above, b.below) || !multiply(right, b.above, a.below) ||
        !multiply(out.below, a.below, b.below)) {
      return false;
    }
    fmpq_mpoly_add(out.above.get(), left.get(), right.get(), ring_.get());
    return true;
  }

  bool power(Fraction& base, int exponent, Fraction& out) {
    const bool negative = expr_[exponent].kind == Kind::kNegate;
    slong n = expr_.value(negative ? expr_[exponent].a : exponent).to_int();
    n = negative ? -n : n;
    Poly& above = n >= 0 ? base.above : base.below;
    Poly& below = n >= 0 ? base.below : base.above;
    const auto m = std::abs(n);
    return raise(above, m, out.above) && raise(below, m, out.below);
  }

  bool raise(Poly& base, slong n, Poly& out) {
    constexpr slong kLargest = 100000;
    const double terms = base.terms();
    // A power of t terms has at most binomial(n + t - 1, t - 1) terms.
    double bound = 1;
    for (double k = 1; k < terms && bound <= kMaxTerms; ++k) {
      bound *= (static_cast<double>(n) + k) / k;
    }
    if (n > kLargest || bound > kMaxTerms ||
        static_cast<double>(n) * coefficient_bits(base) > static_cast<double>(kMaxExactBits) ||
        !work_.spend(static_cast<std::int64_t>(bound * static_cast<double>(n) / 4 + bound * 10))) {
      return false;
    }
    return fmpq_mpoly_pow_ui(out.get(), base.get(), static_cast<ulong>(n), ring_.get()) != 0;
  }

  // log2 of the sum of coefficients of a power grows by this for each factor, at most.
  double coefficient_bits(Poly& p) const {
    const fmpq* const content = p.get()->content;  // a rational factor of all coefficients
    const bool unit = fmpz_is_pm1(fmpq_numref(content)) != 0 && fmpz_is_one(fmpq_denref(content)) != 0;
    const double outer =
        unit ? 0 : static_cast<double>(fmpz_bits(fmpq_numref(content)) + fmpz_bits(fmpq_denref(content)));
    const auto bits = std::abs(fmpz_mpoly_max_bits(p.get()->zpoly));
    return outer + (p.terms() == 1 && bits <= 1 ? 0 : static_cast<double>(bits) + std::log2(p.terms() + 1));
  }

  const Expr& expr_;
  Classes& classes_;
  const Generators& generators_;
  Ring& ring_;
  Work& work_;
};

// `same`: whether two fractions agree; nothing where they are too large to tell.
template <typename Same>
Identity compare_fractions(const Expr& expr, int a, int b, Work& work, const Same& same) {
  Classes classes(expr);
  Generators generators;
  collect(expr, a, classes, generators);
  collect(expr, b, classes, generators);
  constexpr std::size_t kMostGenerators = 64;
  if (generators.index.size() > kMostGenerators) {
    return Identity::kUnknown;
  }
  Ring ring(static_cast<slong>(generators.index.size()));
  Builder builder(expr, classes, generators, ring, work);
  Fraction left = builder.build(a);
  Fraction right = left.ok ? builder.build(b) : Fraction{Poly(ring), Poly(ring), false};
  const std::optional<bool> equal = right.ok ? same(builder, ring, left, right) : std::nullopt;
  if (equal && *equal) {
    return Identity::kEqual;
  }
  return equal && generators.symbols_only ? Identity::kDifferent : Identity::kUnknown;
}

}  // namespace

Identity compare_rational_functions(const Expr& expr, int a, int b, Work& work) {
  return compare_fractions(expr, a, b, work, [](Builder& builder, Ring& ring, Fraction& l, Fraction& r) {
    Poly cross(ring);
    Poly other(ring);
    const bool known = builder.multiply(cross, l.above, r.below) && builder.multiply(other, r.above, l.below);
    return known ? std::optional(fmpq_mpoly_equal(cross.get(), other.get(), ring.get()) != 0) : std::nullopt;
  });
}

Identity compare_equations(const Expr& expr, int a, int b, Work& work) {
  return compare_fractions(expr, a, b, work,
                           [](Builder& /*builder*/, Ring& ring, Fraction& l, Fraction& r) -> std::optional<bool> {
                             if (l.above.is_zero() || r.above.is_zero()) {
                               return l.above.is_zero() == r.above.is_zero();
                             }
                             fmpq_mpoly_make_monic(l.above.get(), l.above.get(), ring.get());
                             fmpq_mpoly_make_monic(r.above.get(), r.above.get(), ring.get());
                             return fmpq_mpoly_equal(l.above.get(), r.above.get(), ring.get()) != 0;
                           });
}

}  // namespace plumb::math
