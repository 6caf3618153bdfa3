#pragma once
// One try at judging a program that talks with its task: an interactor of the task's author answers it.

#include "compiler_sandbox/examine.h"
#include "compiler_sandbox/languages.h"

namespace plumb {

/// As examine_program(), for a checker of kind "interactive": in each test the interactor, on a worker of its own,
/// reads what the candidate prints and prints what the candidate reads; its exit code is the verdict.
Finding examine_interactive(Worker& candidate, Worker& interactor, Toolchain& tools, const Languages& languages,
                            const Submission& submission, bool alone);

}  // namespace plumb
