// plumb report: the report of a finished or running run, from the files in its folder; or of several, compared.

#include "eval/report/report.h"

#include <cstdio>
#include <memory>

#include "apps/plumb/run_files.h"
#include "apps/plumb/subcommand.h"
#include "eval/report/comparison.h"

namespace plumb {
namespace {

struct ReportCommand {
  std::vector<std::string> runs;
  std::string out;
};

Result<int> run_report(const ReportCommand& command) {
  if (!command.out.empty()) {
    PLUMB_TRY(check_replaceable("--out", command.out, "page", "<!doctype html"));
  }
  if (command.runs.size() == 1) {
    const std::string page = command.out.empty() ? command.runs.front() + "/report.html" : command.out;
    PLUMB_TRY(write_report(command.runs.front(), page));
    std::printf("%s\n", page.c_str());
    return 0;
  }
  const std::string page = command.out.empty() ? "comparison.html" : command.out;
  PLUMB_TRY(write_comparison({command.runs.begin(), command.runs.end()}, page));
  std::printf("%s\n", page.c_str());
  return 0;
}

}  // namespace

void register_report(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand(
      "report", "Write report.html from the files of a run folder; of several runs, one page that compares them");
  auto options = std::make_shared<ReportCommand>();
  command->add_option("RUN", options->runs, "run folders; the others are measured against the first")->required();
  command->add_option("--out", options->out,
                      "the page to write; RUN/report.html if not said, of several runs comparison.html");
  command->callback([options, &action] { action = [options] { return run_report(*options); }; });
}

}  // namespace plumb
