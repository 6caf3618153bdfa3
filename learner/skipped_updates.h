#pragma once
// Updates that changed nothing because their gradient was not finite though the loss was.

namespace plumb {

/// One odd batch may do that. More in a row will go on: training stops.
constexpr int kMaxSkippedInARow = 3;

/// Counts them from update to update, over the bounds of steps; a checkpoint keeps the count.
class SkippedUpdates {
 public:
  SkippedUpdates() = default;
  explicit SkippedUpdates(int in_a_row) : in_a_row_(in_a_row) {}

  /// `applied`: UpdateStats::applied of an update.
  void count(bool applied) { in_a_row_ = applied ? 0 : in_a_row_ + 1; }
  [[nodiscard]] int in_a_row() const { return in_a_row_; }
  [[nodiscard]] bool too_many() const { return in_a_row_ > kMaxSkippedInARow; }

 private:
  int in_a_row_ = 0;
};

}  // namespace plumb
