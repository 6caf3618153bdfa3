#include "apps/plumb/run_options.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>

#include "apps/plumb/run_files.h"
#include "apps/plumb/run_folder.h"
#include "core/trace.h"

namespace plumb {

namespace {

const std::map<std::string, ComputeDtype> kDtypes = {
    {"f32", ComputeDtype::kF32}, {"bf16", ComputeDtype::kBf16}, {"bf16_split", ComputeDtype::kBf16Split}};

constexpr std::string_view kTraceBeginning = R"({"displayTimeUnit")";  // as write_trace() writes it

}  // namespace

void add_dtype_option(CLI::App& command, ComputeDtype& dtype) {
  command
      .add_option_function<std::string>(
          "--dtype", [&dtype](const std::string& name) { dtype = kDtypes.at(name); }, "of products")
      ->check(CLI::IsMember({"f32", "bf16", "bf16_split"}));
}

std::string dtype_name(ComputeDtype dtype) {
  return std::ranges::find(kDtypes, dtype, [](const auto& entry) { return entry.second; })->first;
}

void add_inexact_option(CLI::App& command, bool& exact) {
  command.add_flag_callback(
      "--inexact", [&exact] { exact = false; },
      "latent attention among latents: less memory, log-probs off by roundings; other models stay exact");
}

Result<int> with_profile(const std::string& path, const std::function<Result<int>()>& body) {
  if (path.empty()) {
    return body();
  }
  PLUMB_TRY(check_replaceable("--profile", path, "trace", kTraceBeginning));
  start_trace();
  Result<int> status = body();
  stop_trace();
  const Result<void> written = write_trace(path);
  return status && !written ? Result<int>(written.error()) : status;
}

void add_run_options(CLI::App& command, RunOptions& options) {
  command.add_option("--config", options.config_files, "TOML file; more than one: later ones override")->take_all();
  command.add_option("--set", options.overrides, "section.key=value; overrides the files")->take_all();
  command.add_option("--model", options.model, "a GGUF file or a Hugging Face folder");
  command
      .add_option("--data", options.data,
                  "JSON Lines file of your own tasks, of any split; those of \"dev\" are not trained on")
      ->take_all();
  command.add_option("--out", options.out, "the run folder");
  command.add_option("--profile", options.profile, "write a Chrome trace of the run's first ops, by thread, here");
  command.add_flag("--resume", options.resume,
                   "go on with the run in the run folder, by its own config.toml unless --config names another");
  command.add_flag("--print-config", options.print_config, "print the resolved config with all its keys, and stop");
}

Result<void> load_config(const RunOptions& options, Config& config) {
  std::vector<std::string> files = options.config_files;
  const std::string own = options.out + "/" + kConfigFile;
  if (files.empty()) {
    PLUMB_TRY(check_resumable(
        {.command = options.command, .out = options.out, .model = options.model, .resume = options.resume}));
  }
  if (options.resume && files.empty() && std::filesystem::exists(own)) {
    files.push_back(own);
  }
  for (const std::string& file : files) {
    PLUMB_TRY(config.load_file(file));
  }
  if (!options.data.empty()) {
    std::string tasks;
    for (const std::string& file : options.data) {
      tasks += (tasks.empty() ? "" : ",") + file;
    }
    PLUMB_TRY(config.set("data.tasks=" + tasks));
    PLUMB_TRY(config.set("data.train_splits=[]"));
    PLUMB_TRY(config.set("data.any_split=true"));
  }
  for (const std::string& assignment : options.overrides) {
    PLUMB_TRY(config.set(assignment));
  }
  return options.model.empty() ? Result<void>() : config.set("model.path=" + options.model);
}

CLI::App* add_run_command(CLI::App& app, Action& action, const std::string& name, const std::string& help,
                          const std::function<Result<int>(const RunOptions&, const Settings&)>& body,
                          const std::string& out) {
  CLI::App* command = app.add_subcommand(name, help);
  auto options = std::make_shared<RunOptions>();
  options->out = out;
  options->command = app.get_parent() == nullptr ? name : app.get_name() + " " + name;
  add_run_options(*command, *options);
  command->callback([command, options, body, &action] {
    if (!command->get_subcommands().empty()) {
      return;  // a subcommand of this one has set the action
    }
    action = [options, body]() -> Result<int> {
      Settings settings;
      Config config;
      settings.add_to(config);
      PLUMB_TRY(load_config(*options, config));
      if (options->print_config) {
        std::fputs(config.to_toml().c_str(), stdout);
        return 0;
      }
      return with_profile(options->profile, [&] { return body(*options, settings); });
    };
  });
  return command;
}

}  // namespace plumb
