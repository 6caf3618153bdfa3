#pragma once
// A judge for tests, started once per process, and submissions in few words.

#include <memory>
#include <string>
#include <vector>

#include "compiler_sandbox/judge.h"

namespace plumb::test {

/// Options that use the launcher of this build and a cache folder of this build; PLUMB_TEST_CPP_COMPILER in the
/// environment (clang, gcc) chooses the compiler.
JudgeOptions judge_options();

/// The judge that most tests share. Null where this machine has no isolation to judge in; then `why` says what lacks.
Judge* shared_judge(std::string& why);

/// `int add(int a, int b)` and calls of it that tell a right program from a wrong one.
Submission add_submission(Language language, const std::string& source);

/// A submission for any signature; `calls` is JSON text: [[args, expected], ...].
Submission make_submission(Language language, const std::string& source, const FunctionSignature& function,
                           const std::string& calls);

/// The evidence in words, for messages of failed tests.
std::string describe(const Evidence& evidence);

/// Process ids of the launchers that this process has started.
std::vector<int> launchers();

/// Process ids of what these copy steps from, interpreters and compilers.
std::vector<int> templates();

/// Processes in the control groups of this process's launchers that are no launchers ("pid name"), once they had a
/// moment to vanish.
std::vector<std::string> processes_beside_launchers();

/// Processes of users that only slots have ("pid name"), launchers' own excepted, once they had a moment to vanish. For
/// judges without control groups; other judges must be idle.
std::vector<std::string> programs_of_slots();

/// Process ids of programs of this name that run in this process's slots now.
std::vector<int> programs(const std::string& name);

/// The control-group folders that a launcher with this process id has made.
std::vector<std::string> control_groups_of(int pid);

}  // namespace plumb::test

/// Binds `judge`, or skips the test with the reason.
#define PLUMB_JUDGE_OR_SKIP(judge)                                 \
  std::string plumb_why;                                           \
  ::plumb::Judge* judge = ::plumb::test::shared_judge(plumb_why);  \
  if (judge == nullptr) {                                          \
    GTEST_SKIP() << "no isolation on this machine: " << plumb_why; \
  }                                                                \
  static_assert(true)
