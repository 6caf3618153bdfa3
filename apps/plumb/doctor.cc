// plumb doctor: what this machine can compute, compile and isolate, and what to do about the rest.

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "apps/plumb/doctor_checks.h"
#include "apps/plumb/subcommand.h"
#include "apps/plumb/version.h"
#include "apps/plumb/workbench.h"

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

// What the trials of a model's products showed here. Pinned tiles cost speed, not bits.
Result<std::vector<Finding>> examine_products(const ModelSettings& model) {
  PLUMB_ASSIGN(auto source, open_model(model.path));
  PLUMB_ASSIGN(const auto bench, Workbench::open(std::move(source), model, true));
  std::vector<Finding> findings;
  for (const ProductProof& proof : bench->policy().product_proofs()) {
    const bool all = proof.trials.pinned == 0;
    findings.push_back({"product", all ? Health::kGood : Health::kLimited, describe(proof),
                        all ? "" : "The bits are the same; pinned tiles are computed as smaller proven ones."});
  }
  return findings;
}

Result<int> run_doctor(bool as_json, const ModelSettings& model) {
  std::vector<Finding> findings = examine_machine();
  if (!model.path.empty()) {
    PLUMB_ASSIGN(const std::vector<Finding> products, examine_products(model));
    findings.insert(findings.end(), products.begin(), products.end());
  }
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
  const auto model = std::make_shared<ModelSettings>();
  command->add_option("--model", model->path,
                      "also prove a model's matrix products: a GGUF file or a Hugging Face folder");
  command->callback([&action, as_json, model] { action = [as_json, model] { return run_doctor(*as_json, *model); }; });
}

}  // namespace plumb
