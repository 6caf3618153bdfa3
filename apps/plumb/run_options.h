#pragma once
// The options that all training and evaluating subcommands share.

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "core/config.h"
#include "core/result.h"

namespace plumb {

struct RunOptions {
  std::vector<std::string> config_files;  // in order; a later one overrides an earlier one
  std::vector<std::string> overrides;     // "section.key=value"
  std::string out;                        // the run folder
  bool resume = false;
  bool print_config = false;
};

/// Adds --config, --set, --out, --resume and --print-config. `options` must outlive the parse.
void add_run_options(CLI::App& command, RunOptions& options);

/// Fills the structs registered with `config`: files first, then --set, so that the command line has the last word.
Result<void> load_config(const RunOptions& options, Config& config);

}  // namespace plumb
