#include "apps/plumb/command_line.h"

#include <cstdio>
#include <string>
#include <vector>

#include "apps/plumb/version.h"
#include "core/nearest.h"

namespace plumb {
namespace {

constexpr int kUsageError = 2;

std::vector<std::string> subcommand_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* each : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(each->get_name());
  }
  return names;
}

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      names.push_back("--" + name);
    }
  }
  return names;
}

// The subcommand that the user chose, or the program itself.
const CLI::App& chosen(const CLI::App& app) {
  const auto parsed = app.get_subcommands();
  return parsed.empty() ? app : *parsed.front();
}

std::string command_of(const CLI::App& app) {
  return app.get_parent() == nullptr ? "plumb" : "plumb " + app.get_name();
}

// "plumb sft: " in front of what is wrong inside a subcommand; nothing at the top, where the reporter's name says it.
std::string prefix_of(const CLI::App& app) {
  return app.get_parent() == nullptr ? "" : command_of(app) + ": ";
}

std::string hint(const std::string& nearest) {
  return nearest.empty() ? "" : "; the nearest known one is " + nearest;
}

std::string unknown_argument(const CLI::App& app) {
  const CLI::App& where = chosen(app);
  const std::vector<std::string> extras = app.remaining(true);
  const std::string extra = extras.empty() ? "" : extras.front();
  if (!extra.starts_with("-") && &where == &app) {
    return "unknown subcommand " + extra + hint(nearest_name(extra, subcommand_names(app)));
  }
  if (!extra.starts_with("-")) {
    return prefix_of(where) + "unexpected argument " + extra;
  }
  const std::string name = extra.substr(0, extra.find('='));
  return prefix_of(where) + "unknown option " + name + hint(nearest_name(name, option_names(where)));
}

int usage_error(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App& where = chosen(app);
  const bool unknown = dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr;
  const std::string sentence = unknown ? unknown_argument(app) : prefix_of(where) + error.what();
  std::fprintf(stderr, "plumb: %s (see %s --help)\n", sentence.c_str(), command_of(where).c_str());
  return kUsageError;
}

}  // namespace

CommandLine parse_command_line(int argc, char** argv) {
  CommandLine line;
  line.app = std::make_shared<CLI::App>("Reinforcement learning of language models from checkable answers.", "plumb");
  CLI::App& app = *line.app;
  app.set_version_flag("--version", version_line());
  app.require_subcommand(0, 1);
#define PLUMB_SUBCOMMAND(name) register_##name(app, line.action);
#include "apps/plumb/subcommands.inc"
#undef PLUMB_SUBCOMMAND
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    line.action = nullptr;
    line.exit_status = error.get_exit_code() == 0 ? app.exit(error) : usage_error(app, error);
    return line;
  }
  if (!line.action) {
    std::fputs(app.help().c_str(), stderr);
    line.exit_status = kUsageError;
  }
  return line;
}

}  // namespace plumb
