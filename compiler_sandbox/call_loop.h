#pragma once
// The conversation with a running program: one call in, one answer out, compared here.

#include <optional>
#include <string>
#include <vector>

#include "compiler_sandbox/judge.h"
#include "compiler_sandbox/running_step.h"

namespace plumb {

/// What the answers were.
struct CallResults {
  std::vector<Verdict> tests;        // never empty; AC, WA, CE, RE, MLE; the last one may be overruled by a limit
  std::optional<Diagnostic> reason;  // of the first call that failed
  bool died = false;                 // the program gave no answer to the last call in `tests`
  bool lost = false;                 // it can answer no further call; a fresh run of it may
};

/// Runs the calls (`encoded` arguments, one per submission.args) from the one with index `first` on, until all are
/// answered, one fails where the submission says to stop then, or the program can no longer answer. The step is not
/// ended here.
CallResults run_calls(RunningStep& running, const Submission& submission, const std::vector<std::string>& encoded,
                      std::size_t first);

}  // namespace plumb
