#pragma once
// Runs a tool of this machine outside the sandbox, on input of our own (never on a candidate's).

#include <string>
#include <vector>

#include "core/result.h"

namespace plumb {

/// Runs argv[0] with an environment of PATH alone, waits, and returns its standard output. Errors: it cannot be started
/// or does not exit with 0 (the message holds the first line of its standard error).
Result<std::string> run_local_tool(const std::vector<std::string>& argv);

}  // namespace plumb
