// plumb report: the report of a finished or running run, from the files in its folder; or of several, compared.

#include "eval/report/report.h"

#include <cstdio>
#include <memory>

#include "apps/plumb/subcommand.h"
#include "eval/report/comparison.h"

namespace plumb {
namespace {

struct ReportCommand {
  std::vector<std::string> runs;
  std::string out = "comparison.html";
};

Result<int> run_report(const ReportCommand& command) {
  if (command.runs.size() == 1) {
    PLUMB_TRY(write_report(command.runs.front()));
    std::printf("%s/report.html\n", command.runs.front().c_str());
    return 0;
  }
  PLUMB_TRY(write_comparison({command.runs.begin(), command.runs.end()}, command.out));
  std::printf("%s\n", command.out.c_str());
  return 0;
}

}  // namespace

void register_report(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand(
      "report", "Write report.html from the files of a run folder; of several runs, one page that compares them");
  auto options = std::make_shared<ReportCommand>();
  command->add_option("RUN", options->runs, "run folders; the others are measured against the first")->required();
  command->add_option("--out", options->out, "of several runs: the page to write");
  command->callback([options, &action] { action = [options] { return run_report(*options); }; });
}

}  // namespace plumb
