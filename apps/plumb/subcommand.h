#pragma once
// How a subcommand joins the binary: a file apps/plumb/<name>.cc that defines register_<name>, and a line in
// subcommands.inc.

#include <CLI/CLI.hpp>
#include <functional>

#include "core/result.h"

namespace plumb {

/// What the command line asked for, ready to run; yields the exit status (0, 1, or kInterruptedStatus). Usage errors
/// never get here.
using Action = std::function<Result<int>()>;

// Each register_<name>(app, action) adds the subcommand <name> with its options to `app`. Its callback, called when the
// user chose it, stores the work in `action` and does none itself: main() runs it after the whole line is understood.
#define PLUMB_SUBCOMMAND(name) void register_##name(CLI::App& app, Action& action);
#include "apps/plumb/subcommands.inc"
#undef PLUMB_SUBCOMMAND

}  // namespace plumb
