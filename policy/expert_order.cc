#include "policy/expert_order.h"

#include <algorithm>

#include "tensor/operand.h"

namespace plumb {

std::int64_t ExpertOrder::most_places(std::int64_t rows, std::int64_t top_k, std::int64_t num_experts) {
  const std::int64_t assignments = rows * top_k;
  return padded_rows(assignments + std::min(assignments, num_experts) * (kRowTile - 1));
}

void ExpertOrder::build(const std::int32_t* experts, std::int64_t rows, std::int64_t top_k, std::int64_t num_experts) {
  const std::int64_t assignments = rows * top_k;
  count_.assign(static_cast<std::size_t>(num_experts), 0);
  for (std::int64_t a = 0; a < assignments; ++a) {
    ++count_[static_cast<std::size_t>(experts[a])];
  }
  begin_.assign(1, 0);
  for (const std::int64_t count : count_) {
    begin_.push_back(begin_.back() + padded_rows(count));
  }
  assignments_.assign(static_cast<std::size_t>(num_places()), -1);
  places_.resize(static_cast<std::size_t>(assignments));
  std::vector<std::int64_t> next(begin_.begin(), begin_.end() - 1);
  for (std::int64_t a = 0; a < assignments; ++a) {
    const std::int64_t place = next[static_cast<std::size_t>(experts[a])]++;
    assignments_[static_cast<std::size_t>(place)] = a;
    places_[static_cast<std::size_t>(a)] = place;
  }
}

}  // namespace plumb
