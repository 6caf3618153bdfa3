#include "apps/plumb/run_options.h"

namespace plumb {

void add_run_options(CLI::App& command, RunOptions& options) {
  command.add_option("--config", options.config_files, "TOML file; more than one: later ones override")->take_all();
  command.add_option("--set", options.overrides, "section.key=value; overrides the files")->take_all();
  command.add_option("--out", options.out, "the run folder");
  command.add_flag("--resume", options.resume, "go on with the run in the run folder");
  command.add_flag("--print-config", options.print_config, "print the resolved config with all its keys, and stop");
}

Result<void> load_config(const RunOptions& options, Config& config) {
  for (const std::string& file : options.config_files) {
    PLUMB_TRY(config.load_file(file));
  }
  for (const std::string& assignment : options.overrides) {
    PLUMB_TRY(config.set(assignment));
  }
  return {};
}

}  // namespace plumb
