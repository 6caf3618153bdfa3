#include "reward/rules/math/matrix.h"

#include <functional>
#include <vector>

#include "reward/rules/math/rewrite.h"

namespace plumb::math {

namespace {

constexpr int kMostRows = 16;
constexpr int kMostDeterminantRows = 6;

class MatrixAlgebra {
 public:
  explicit MatrixAlgebra(Expr& expr) : e_(expr) {}

  [[nodiscard]] bool is_matrix(int id) const { return e_[id].kind == Kind::kMatrix; }
  [[nodiscard]] int rows(int id) const { return e_[id].a; }
  [[nodiscard]] int columns(int id) const { return e_[id].count / e_[id].a; }

  int map(int matrix, const std::function<int(int)>& change) {
    std::vector<int> cells = e_.kids(matrix);
    for (int& cell : cells) {
      cell = change(cell);
    }
    return e_.matrix(cells, rows(matrix));
  }

  int transpose(int matrix) {
    std::vector<int> cells;
    for (int j = 0; j < columns(matrix); ++j) {
      for (int i = 0; i < rows(matrix); ++i) {
        cells.push_back(e_.kid(matrix, i * columns(matrix) + j));
      }
    }
    return e_.matrix(cells, columns(matrix));
  }

  int sum(int a, int b) {
    if (rows(a) != rows(b) || columns(a) != columns(b)) {
      return -1;
    }
    std::vector<int> cells;
    for (int i = 0; i < e_[a].count; ++i) {
      cells.push_back(e_.binary(Kind::kSum, e_.kid(a, i), e_.kid(b, i)));
    }
    return e_.matrix(cells, rows(a));
  }

  int product(int a, int b) {
    if (columns(a) != rows(b) || rows(a) > kMostRows || columns(b) > kMostRows || columns(a) > kMostRows) {
      return -1;
    }
    std::vector<int> cells;
    for (int i = 0; i < rows(a); ++i) {
      for (int j = 0; j < columns(b); ++j) {
        int total = -1;
        for (int k = 0; k < columns(a); ++k) {
          const int part = e_.binary(Kind::kProduct, e_.kid(a, i * columns(a) + k), e_.kid(b, k * columns(b) + j));
          total = total < 0 ? part : e_.binary(Kind::kSum, total, part);
        }
        cells.push_back(total);
      }
    }
    return e_.matrix(cells, rows(a));
  }

  int power(int matrix, int exponent) {
    constexpr slong kHighest = 8;
    if (e_[exponent].kind != Kind::kNumber || !e_.value(exponent).fits_int() || rows(matrix) != columns(matrix)) {
      return -1;
    }
    const slong n = e_.value(exponent).to_int();
    if (n < 1 || n > kHighest || rows(matrix) > 4) {
      return -1;
    }
    int out = matrix;
    for (slong i = 1; i < n && out >= 0; ++i) {
      out = product(out, matrix);
    }
    return out;
  }

  // By minors of the first row; the depth is the number of rows.
  int determinant(const std::vector<int>& cells, int n) {
    if (n == 1) {
      return cells[0];
    }
    int total = -1;
    for (int skipped = 0; skipped < n; ++skipped) {
      std::vector<int> minor;
      for (int i = 1; i < n; ++i) {
        for (int j = 0; j < n; ++j) {
          if (j != skipped) {
            minor.push_back(cells[static_cast<std::size_t>(i * n + j)]);
          }
        }
      }
      int part = e_.binary(Kind::kProduct, cells[static_cast<std::size_t>(skipped)], determinant(minor, n - 1));
      part = skipped % 2 == 1 ? e_.unary(Kind::kNegate, part) : part;
      total = total < 0 ? part : e_.binary(Kind::kSum, total, part);
    }
    return total;
  }

  // What a node with these children becomes; -1 where it has no meaning, nothing where no matrix takes part.
  std::optional<int> step(int id, const std::vector<int>& children) {
    const Node node = e_[id];
    const auto any = [&] {
      for (const int child : children) {
        if (is_matrix(child)) {
          return true;
        }
      }
      return false;
    };
    if (e_.has_kids(id) || !any()) {
      return std::nullopt;
    }
    const int a = children[0];
    const int b = children.size() > 1 ? children[1] : -1;
    switch (node.kind) {
      case Kind::kNegate:
        return map(a, [&](int cell) { return e_.unary(Kind::kNegate, cell); });
      case Kind::kSum:
        return is_matrix(a) && is_matrix(b) ? sum(a, b) : -1;
      case Kind::kProduct:
        if (is_matrix(a) && is_matrix(b)) {
          return product(a, b);
        }
        return map(is_matrix(a) ? a : b,
                   [&](int cell) { return e_.binary(Kind::kProduct, is_matrix(a) ? b : a, cell); });
      case Kind::kDivide:
        return is_matrix(b) ? -1 : map(a, [&](int cell) { return e_.binary(Kind::kDivide, cell, b); });
      case Kind::kPower:
        return is_matrix(a) ? power(a, b) : -1;
      case Kind::kApply:
        if (static_cast<Function>(node.op) == Function::kTranspose) {
          return transpose(a);
        }
        if (static_cast<Function>(node.op) == Function::kDet && rows(a) == columns(a) &&
            rows(a) <= kMostDeterminantRows) {
          return determinant(e_.kids(a), rows(a));
        }
        return -1;
      default:
        return std::nullopt;
    }
  }

 private:
  Expr& e_;
};

}  // namespace

std::optional<int> expand_matrices(Expr& expr, int root) {
  if (expr[root].kind == Kind::kNumber || !contains(expr, root, Kind::kMatrix)) {
    return root;
  }
  MatrixAlgebra algebra(expr);
  bool known = true;
  const int out = rewrite(expr, root, [&](int id, const std::vector<int>& children) -> std::optional<int> {
    const auto result = known ? algebra.step(id, children) : std::nullopt;
    known = known && (!result || *result >= 0);
    return known ? result : std::nullopt;
  });
  return known ? std::optional(out) : std::nullopt;
}

}  // namespace plumb::math
