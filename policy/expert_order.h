#pragma once
// A batch's rows sorted by the experts that they go to, so that each expert's product takes its rows together.

#include <cstdint>
#include <vector>

namespace plumb {

/// Assignment a = row * k + j is the j-th expert of a row. Each expert's assignments stand side by side in order of a,
/// from a place that is a multiple of 16 on: whole tiles of a product. The order is a function of the choices alone.
class ExpertOrder {
 public:
  /// Places of `rows` rows at most, whatever the choices.
  static std::int64_t most_places(std::int64_t rows, std::int64_t top_k, std::int64_t num_experts);

  ///   experts  [rows, k]
  void build(const std::int32_t* experts, std::int64_t rows, std::int64_t top_k, std::int64_t num_experts);

  [[nodiscard]] std::int64_t num_places() const { return begin_.back(); }
  [[nodiscard]] std::int64_t num_experts() const { return static_cast<std::int64_t>(count_.size()); }
  /// First place of expert `e`, and how many assignments it has; places up to the next expert's are padding.
  [[nodiscard]] std::int64_t begin(std::int64_t e) const { return begin_[static_cast<std::size_t>(e)]; }
  [[nodiscard]] std::int64_t padded_end(std::int64_t e) const { return begin_[static_cast<std::size_t>(e) + 1]; }
  [[nodiscard]] std::int64_t count(std::int64_t e) const { return count_[static_cast<std::size_t>(e)]; }
  /// The assignment at a place; -1 for padding.
  [[nodiscard]] std::int64_t assignment(std::int64_t place) const {
    return assignments_[static_cast<std::size_t>(place)];
  }
  [[nodiscard]] std::int64_t place(std::int64_t assignment) const {
    return places_[static_cast<std::size_t>(assignment)];
  }

 private:
  std::vector<std::int64_t> begin_;  // [E + 1]
  std::vector<std::int64_t> count_;  // [E]
  std::vector<std::int64_t> assignments_;
  std::vector<std::int64_t> places_;
};

}  // namespace plumb
