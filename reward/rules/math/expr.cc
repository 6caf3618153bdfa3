#include "reward/rules/math/expr.h"

#include <algorithm>

#include "reward/rules/math/caps.h"

namespace plumb::math {

bool Expr::has_kids(int id) const {
  switch ((*this)[id].kind) {
    case Kind::kTuple:
    case Kind::kList:
    case Kind::kSet:
    case Kind::kMatrix:
    case Kind::kRelation:
    case Kind::kRatio:
    case Kind::kBigSum:
    case Kind::kBigProduct:
    case Kind::kIntegral:
      return true;
    default:
      return false;
  }
}

void Expr::clear() {
  nodes_.clear();
  numbers_.clear();
  names_.clear();
  name_ids_.clear();
  kids_.clear();
  signs_.clear();
  within_caps_ = true;
}

int Expr::add(Node node) {
  const int id = size();
  node.begin = id;
  nodes_.push_back(node);
  int begin = id;
  int depth = 0;
  for_children(id, [&](int child) {
    begin = std::min(begin, (*this)[child].begin);
    depth = std::max(depth, static_cast<int>((*this)[child].depth));
  });
  depth += has_kids(id) || node.kind == Kind::kInterval ? 1 : 0;
  nodes_.back().begin = begin;
  nodes_.back().depth = static_cast<std::int16_t>(std::min(depth, kMaxStructureDepth + 1));
  within_caps_ = within_caps_ && depth <= kMaxStructureDepth && nodes_.size() <= kMaxNodes;
  return id;
}

int Expr::name_index(const std::string& name) {
  const auto [place, fresh] = name_ids_.try_emplace(name, static_cast<int>(names_.size()));
  if (fresh) {
    names_.push_back(name);
  }
  return place->second;
}

int Expr::number(Rational value, int digits, int places) {
  numbers_.push_back(std::move(value));
  return add({.kind = Kind::kNumber, .a = places, .data = static_cast<int>(numbers_.size()) - 1, .count = digits});
}

int Expr::leaf(Kind kind, std::uint8_t op) {
  return add({.kind = kind, .op = op});
}

int Expr::named(Kind kind, const std::string& name, int child) {
  return add({.kind = kind, .a = child, .data = name_index(name)});
}

int Expr::unary(Kind kind, int a, std::uint8_t op) {
  return add({.kind = kind, .op = op, .a = a});
}

int Expr::binary(Kind kind, int a, int b, std::uint8_t op) {
  return add({.kind = kind, .op = op, .a = a, .b = b});
}

int Expr::named_call(const std::string& name, int arguments) {
  return add({.kind = Kind::kApply,
              .op = static_cast<std::uint8_t>(Function::kCall),
              .a = arguments,
              .data = name_index(name)});
}

int Expr::many(Kind kind, const std::vector<int>& kids, std::uint8_t op) {
  const auto first = static_cast<int>(kids_.size());
  kids_.insert(kids_.end(), kids.begin(), kids.end());
  return add({.kind = kind, .op = op, .data = first, .count = static_cast<int>(kids.size())});
}

int Expr::matrix(const std::vector<int>& cells, int rows) {
  const int id = many(Kind::kMatrix, cells);
  nodes_.back().a = rows;
  return id;
}

int Expr::relation(const std::vector<int>& sides, const std::vector<Sign>& signs) {
  const int id = many(Kind::kRelation, sides);
  nodes_.back().data2 = static_cast<int>(signs_.size());
  signs_.insert(signs_.end(), signs.begin(), signs.end());
  return id;
}

int Expr::rebuilt(int id, const std::vector<int>& children) {
  Node node = (*this)[id];
  if (has_kids(id)) {
    node.data = static_cast<int>(kids_.size());
    kids_.insert(kids_.end(), children.begin(), children.end());
  } else if (node.kind != Kind::kNumber) {
    std::size_t next = 0;
    node.a = node.a >= 0 ? children[next++] : -1;
    node.b = node.b >= 0 ? children[next++] : -1;
  }
  return add(node);
}

std::vector<int> Expr::kids(int id) const {
  const auto first = kids_.begin() + (*this)[id].data;
  return {first, first + (*this)[id].count};
}

std::vector<int> Expr::order(int root) const {
  const int begin = (*this)[root].begin;
  std::vector<char> needed(static_cast<std::size_t>(root - begin + 1), 0);
  needed.back() = 1;
  std::size_t count = 0;
  for (int id = root; id >= begin; --id) {
    if (needed[static_cast<std::size_t>(id - begin)] != 0) {
      ++count;
      for_children(id, [&](int child) { needed[static_cast<std::size_t>(child - begin)] = 1; });
    }
  }
  std::vector<int> order;
  order.reserve(count);
  for (int id = begin; id <= root; ++id) {
    if (needed[static_cast<std::size_t>(id - begin)] != 0) {
      order.push_back(id);
    }
  }
  return order;
}

}  // namespace plumb::math
