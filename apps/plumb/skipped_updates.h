#pragma once
// Steps whose numbers are not finite: which of them are skipped, and which end a run.

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <string>

namespace plumb {

/// One odd batch may have a gradient that is not finite though its loss is. More in a row will go on: the run stops.
constexpr int kMaxSkippedInARow = 3;

/// What to do about a step whose numbers are not finite; `section` has the learning rate, and `inputs` ("data") are
/// what else may be at fault. Before any update that rate has changed nothing yet.
inline std::string advice_where_not_finite(const std::string& section, bool updated_before,
                                           const char* inputs = "data") {
  return updated_before ? fmt::format("lower {}.learning_rate, or look at the {}", section, inputs)
                        : fmt::format(
                              "no update was made before it: the weights or the {} are at fault, not "
                              "{}.learning_rate",
                              inputs, section);
}

/// Of a stage whose steps are one update each. Counts from a resume on.
class SkippedUpdates {
 public:
  struct Word {
    std::string note;   // for the user, where the step was skipped
    std::string fault;  // why the run has to stop; else empty
    bool updated_before = false;
  };

  /// `num_updates`: that were made before the first step.
  void begin(std::int64_t num_updates) { updated_ = num_updates > 0; }

  Word after_step(std::int64_t step, double loss, double grad_norm) {
    Word word;
    word.updated_before = updated_;
    updated_ = updated_ || std::isfinite(grad_norm);
    in_a_row_ = std::isfinite(grad_norm) ? 0 : in_a_row_ + 1;
    if (!std::isfinite(loss)) {
      word.fault = fmt::format("the loss of step {} is not finite", step);
    } else if (in_a_row_ > kMaxSkippedInARow) {
      word.fault = fmt::format("more than {} updates in a row had a gradient that is not finite, the last at step {}",
                               kMaxSkippedInARow, step);
    } else if (in_a_row_ > 0) {
      word.note = fmt::format("note: step {} changed nothing: its gradient is not finite", step);
    }
    return word;
  }

 private:
  int in_a_row_ = 0;
  bool updated_ = false;
};

}  // namespace plumb
