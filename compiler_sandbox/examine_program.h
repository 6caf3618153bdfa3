#pragma once
// One try at judging a whole program on one worker: build it, run it on each test, compare what it printed.

#include "compiler_sandbox/examine.h"
#include "compiler_sandbox/languages.h"

namespace plumb {

/// As examine(), for a submission with a program_language. Where several verdicts hold for a test: OLE, MLE, TLE, RE,
/// then the checker's.
Finding examine_program(Worker& worker, Toolchain& tools, const Languages& languages, const Submission& submission,
                        bool alone);

}  // namespace plumb
