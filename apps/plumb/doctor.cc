// plumb doctor: what this machine can compute, compile and isolate, and what to do about the rest.

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "apps/plumb/doctor_checks.h"
#include "apps/plumb/subcommand.h"
#include "apps/plumb/version.h"

namespace plumb {
namespace {

void print_table(const std::vector<Finding>& findings) {
  // A missing layer comes first: it is what the reader has to act on.
  for (const Finding& finding : findings) {
    if (finding.health == Health::kMissing && !finding.remedy.empty()) {
      std::printf("%s\n", finding.remedy.c_str());
    }
  }
  std::printf("%s\n", version_line().c_str());
  for (const Finding& finding : findings) {
    std::printf("%-8s %-11s %s\n", to_string(finding.health).c_str(), finding.name.c_str(), finding.found.c_str());
    if (finding.health == Health::kLimited && !finding.remedy.empty()) {
      std::printf("%-20s %s\n", "", finding.remedy.c_str());
    }
  }
}

void print_json(const std::vector<Finding>& findings) {
  nlohmann::json json = {{"version", plumb_version()}, {"commit", git_commit()}, {"findings", nlohmann::json::array()}};
  for (const Finding& finding : findings) {
    json["findings"].push_back({{"name", finding.name},
                                {"health", to_string(finding.health)},
                                {"found", finding.found},
                                {"remedy", finding.remedy}});
  }
  std::printf("%s\n", json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
}

int run_doctor(bool as_json) {
  const std::vector<Finding> findings = examine_machine();
  if (as_json) {
    print_json(findings);
  } else {
    print_table(findings);
  }
  for (const Finding& finding : findings) {
    if (finding.health == Health::kMissing) {
      return 1;
    }
  }
  return 0;
}

}  // namespace

void register_doctor(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand(
      "doctor", "What this machine can compute, compile and isolate; exit status 1 if something needed is missing");
  const auto as_json = std::make_shared<bool>(false);
  command->add_flag("--json", *as_json, "print one JSON object");
  command->callback([&action, as_json] { action = [as_json]() -> Result<int> { return run_doctor(*as_json); }; });
}

}  // namespace plumb
