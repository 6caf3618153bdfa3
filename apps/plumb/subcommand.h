#pragma once
// How a subcommand joins the binary: a file apps/plumb/<name>.cc that defines register_<name>, and a line in
// subcommands.inc.

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <functional>
#include <string>

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

/// A check of an option's number that says what it wants; CLI11's own names a limit of 309 digits.
inline CLI::Validator above_zero() {
  return {[](std::string& text) {
            char* end = nullptr;
            const double value = std::strtod(text.c_str(), &end);
            return end != text.c_str() && *end == '\0' && value > 0 ? std::string()
                                                                    : "expected a number above 0, found " + text;
          },
          "> 0"};
}

}  // namespace plumb
