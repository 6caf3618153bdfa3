#pragma once
// The subcommand `plumb eval humaneval`.

#include <CLI/CLI.hpp>

#include "apps/plumb/subcommand.h"

namespace plumb {

/// Adds it below `eval`.
void add_humaneval(CLI::App& eval, Action& action);

}  // namespace plumb
