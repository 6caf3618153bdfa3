#pragma once
// Ctrl-C as a question that loops ask: the first SIGINT or SIGTERM sets a flag, so that a run can save and leave; the
// second ends the process at once.

namespace plumb {

/// Installs the handlers. Once per process, before threads that should not die of the signal.
void install_interrupt_handler();

/// Whether the user has asked to stop.
bool interrupted();

/// Returns once the user has asked to stop; looks ten times a second. With `or_end_of_input` also at the end of
/// standard input, which comes when whoever holds its other end is gone, however that went.
void wait_for_interrupt(bool or_end_of_input = false);

}  // namespace plumb
