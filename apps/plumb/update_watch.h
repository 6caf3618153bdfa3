#pragma once
// Steps whose numbers are not finite: which of them are skipped, which end a run, and what users are told.

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <string>

#include "learner/skipped_updates.h"

namespace plumb {

/// That training stops: its gradients have not been finite too many times.
inline std::string too_many_skipped() {
  return fmt::format("more than {} updates in a row had a gradient that is not finite", kMaxSkippedInARow);
}

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

/// Of a stage whose steps are one update each.
class UpdateWatch {
 public:
  struct Word {
    std::string note;   // for the user, where the step was skipped
    std::string fault;  // why the run has to stop; else empty
    bool updated_before = false;
  };

  /// Before the first step: how many updates in a row had been skipped, and how many made.
  void begin(int skipped_in_a_row, std::int64_t num_updates) {
    skipped_ = SkippedUpdates(skipped_in_a_row);
    updated_ = num_updates > 0;
  }

  Word after_step(std::int64_t step, double loss, double grad_norm) {
    Word word;
    word.updated_before = updated_;
    const bool applied = std::isfinite(grad_norm);
    updated_ = updated_ || applied;
    skipped_.count(applied);
    if (!std::isfinite(loss)) {
      word.fault = fmt::format("the loss of step {} is not finite", step);
    } else if (skipped_.too_many()) {
      word.fault = fmt::format("{}, the last at step {}", too_many_skipped(), step);
    } else if (!applied) {
      word.note = fmt::format("note: step {} changed nothing: its gradient is not finite", step);
    }
    return word;
  }

  /// For a checkpoint.
  [[nodiscard]] int skipped_in_a_row() const { return skipped_.in_a_row(); }

 private:
  SkippedUpdates skipped_;
  bool updated_ = false;
};

}  // namespace plumb
