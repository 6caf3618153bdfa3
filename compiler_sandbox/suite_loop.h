#pragma once
// The conversation between a test suite and a candidate, each in its own sandbox, with the judge in between.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "compiler_sandbox/judge.h"
#include "compiler_sandbox/running_step.h"

namespace plumb {

/// What the suite said, and how the candidate behaved.
struct SuiteResults {
  std::vector<Verdict> tests;        // AC, WA, CE, RE, MLE; the last one may be overruled by a limit. Of the last run
  int total = 0;                     // of tests; 0 where the suite did not get so far
  std::optional<Diagnostic> reason;  // of the first test that failed
  bool died = false;                 // the candidate gave no answer during the last test in `tests`
  bool ended = false;                // FreshRuns::end() has taken these tests
  std::string fault;                 // the suite itself cannot be run
  bool tests_ended = false;          // the suite's process ended too early: look at its report
  bool clean_end = false;            // it is through and left no file
  bool stays = false;                // its process waits for the next suite
};

/// How a candidate that ended is run again.
struct FreshRuns {
  /// Takes what the run showed that has just ended. False where there is to be no other.
  std::function<bool(const SuiteResults&)> end;
  /// The next one, where `end` said so; null where it cannot be started.
  std::function<RunningStep*()> start;
};

/// Sends the suite, then passes calls and answers on until the suite is through, a test fails where the submission says
/// to stop then, or one of the two can no longer answer. Answers are passed on only if they are well-formed values.
/// Where it does not say so, a candidate that ended during a test is run again for those that follow (`fresh`): the
/// results are those since then, and without any test where it was not called again. `tests` may have run other suites
/// before, if it stayed. The steps are not ended, but by `fresh`.
SuiteResults run_suite(RunningStep& candidate, RunningStep& tests, const TestSuite& suite, bool stop_at_first_failure,
                       const FreshRuns& fresh);

}  // namespace plumb
