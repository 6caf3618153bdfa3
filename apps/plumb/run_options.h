#pragma once
// The options that all training and evaluating subcommands share.

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "apps/plumb/settings.h"
#include "apps/plumb/subcommand.h"
#include "core/config.h"
#include "core/result.h"

namespace plumb {

struct RunOptions {
  std::string command;                    // "grpo", "data profile": goes to the manifest
  std::vector<std::string> config_files;  // in order; a later one overrides an earlier one
  std::vector<std::string> overrides;     // "section.key=value"
  std::string model;                      // short for --set model.path=...
  std::vector<std::string> data;          // short for --set data.tasks=[...], of any split
  std::string out;                        // the run folder
  std::string profile;                    // a file for a Chrome trace of the run's ops; empty: none
  bool resume = false;
  bool print_config = false;
};

/// Adds --config, --set, --model, --data, --out, --profile, --resume and --print-config. `options` must outlive the
/// parse.
void add_run_options(CLI::App& command, RunOptions& options);

/// Adds --dtype f32|bf16|bf16_split, which sets `dtype`; it outlives the parsing.
void add_dtype_option(CLI::App& command, ComputeDtype& dtype);
/// "f32", "bf16" or "bf16_split", as --dtype takes it.
std::string dtype_name(ComputeDtype dtype);
/// --inexact, as model.exact = false.
void add_inexact_option(CLI::App& command, bool& exact);

/// What `body` returns; with a `path`, its spans are recorded and written there (core/trace.h) afterwards.
Result<int> with_profile(const std::string& path, const std::function<Result<int>()>& body);

/// Fills the structs registered with `config`: files first, then --set, then the short forms, so that the command line
/// has the last word. With --resume and no --config the file is the run folder's own config.toml.
Result<void> load_config(const RunOptions& options, Config& config);

/// Adds a subcommand that runs `body` with the resolved settings, or prints them where --print-config asks for that.
/// `out` is the run folder where none is given. Returns it, so that subcommands of its own can be added.
CLI::App* add_run_command(CLI::App& app, Action& action, const std::string& name, const std::string& help,
                          const std::function<Result<int>(const RunOptions&, const Settings&)>& body,
                          const std::string& out = "");

}  // namespace plumb
