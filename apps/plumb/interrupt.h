#pragma once
// Ctrl-C as a question that loops ask: the first SIGINT or SIGTERM sets a flag, so that a run can save and leave; the
// second ends the process at once.

#include <string>

namespace plumb {

/// What a process exits with that ended because the user asked for it, all that was done saved: a shell's `&&` must not
/// go on with the next command, and a batch system can tell it from a failure.
inline constexpr int kInterruptedStatus = 130;

/// Installs the handlers. Once per process, before threads that should not die of the signal.
void install_interrupt_handler();

/// Whether the user has asked to stop.
bool interrupted();

/// Prints "plumb: <sentence>" to standard error. Yields kInterruptedStatus.
int stopped_by_user(const std::string& sentence);

/// Returns once the user has asked to stop; looks ten times a second. With `or_end_of_input` also at the end of
/// standard input, which comes when whoever holds its other end is gone, however that went.
void wait_for_interrupt(bool or_end_of_input = false);

}  // namespace plumb
