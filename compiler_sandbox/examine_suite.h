#pragma once
// One try at judging a candidate by a test suite, on two workers: one for the candidate, one for the tests.

#include "compiler_sandbox/examine.h"

namespace plumb {

/// As examine(), for a submission with a suite. A suite that cannot be run (it does not parse, or wants to pass the
/// candidate what is no plain value) is kHopeless; one that takes too long is the candidate's TLE, for it works on what
/// the candidate returned.
Finding examine_suite(Worker& candidate, Worker& tests, Toolchain& tools, const Submission& submission, bool alone);

}  // namespace plumb
