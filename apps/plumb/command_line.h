#pragma once
// From argv to an action, with usage errors said in one sentence.

#include <memory>

#include "apps/plumb/subcommand.h"

namespace plumb {

/// What the arguments ask for. Without `action` everything has been said already (help, version, a usage error) and
/// `exit_status` is final: 0, or 2 for a usage error.
struct CommandLine {
  std::shared_ptr<CLI::App> app;  // owns what `action` refers to
  Action action;
  int exit_status = 0;
};

CommandLine parse_command_line(int argc, char** argv);

}  // namespace plumb
