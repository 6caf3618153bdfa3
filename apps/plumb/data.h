#pragma once
// The subcommands of `plumb data`.

#include <CLI/CLI.hpp>

#include "apps/plumb/subcommand.h"

namespace plumb {

/// plumb data profile: pass@k per prompt, how many groups are mixed, how long completions are.
void add_data_profile(CLI::App& data, Action& action);

/// plumb data sft-from-rollouts and rm-from-rollouts: demonstrations and preference pairs from samples.jsonl.
void add_data_from_rollouts(CLI::App& data, Action& action);

}  // namespace plumb
