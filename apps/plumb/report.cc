// plumb report: the report of a finished or running run, from the files in its folder.

#include "eval/report/report.h"

#include <cstdio>
#include <memory>

#include "apps/plumb/subcommand.h"

namespace plumb {

void register_report(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("report", "Write report.html from the files of a run folder");
  auto folder = std::make_shared<std::string>();
  command->add_option("RUN", *folder, "the run folder")->required();
  command->callback([folder, &action] {
    action = [folder]() -> Result<int> {
      PLUMB_TRY(write_report(*folder));
      std::printf("%s/report.html\n", folder->c_str());
      return 0;
    };
  });
}

}  // namespace plumb
