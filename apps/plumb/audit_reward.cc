// plumb audit-reward: tries to cheat a config's reward before a policy does, or looks for cheating in a finished run.

#include "apps/plumb/audit_reward.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <map>

#include "apps/plumb/subcommand.h"
#include "core/escape.h"

namespace plumb {
namespace {

constexpr std::size_t kShownFindings = 10;

struct AuditCommand {
  std::string config_file;
  std::vector<std::string> overrides;
  std::string run;
  int prompts = 4;
  int mutants = 8;
};

void append_findings(std::string& text, const char* title, const std::vector<AuditFinding>& findings) {
  text += fmt::format("{:<18}{}\n", title, findings.size());
  for (std::size_t i = 0; i < std::min(findings.size(), kShownFindings); ++i) {
    const AuditFinding& finding = findings[i];
    text += fmt::format("  {} on {}: {:g} ({})\n", finding.trick, finding.prompt_id, finding.total, finding.reason);
  }
}

Result<int> audit_config(const AuditCommand& command) {
  Settings settings;
  Config config;
  settings.add_to(config);
  PLUMB_TRY(command.config_file.empty() ? Result<void>() : config.load_file(command.config_file));
  for (const std::string& assignment : command.overrides) {
    PLUMB_TRY(config.set(assignment));
  }
  PLUMB_TRY(settings.reward.check());
  PLUMB_ASSIGN(const Prompts all, load_tasks(settings.data));
  const Prompts chosen = audit_selection(training_prompts(all, settings), command.prompts);
  PLUMB_ASSIGN(const auto judge, start_judge(judge_options(settings.judge)));
  ScorerOptions scoring = scorer_options(settings.judge);
  scoring.reward = settings.reward;
  const RewardAudit audit =
      audit_reward(*judge, chosen, scoring, {.mutants = static_cast<std::size_t>(command.mutants), .twice = true});
  std::fputs(audit_text(audit).c_str(), stdout);
  return audit.false_accepts.empty() && audit.false_rejects.empty() && audit.unstable.empty() ? 0 : 1;
}

}  // namespace

Prompts audit_selection(const Prompts& prompts, int count) {
  std::map<std::pair<Domain, Language>, Prompts> kinds;
  for (const auto& prompt : prompts) {
    kinds[{prompt->domain, prompt->language}].push_back(prompt);
  }
  Prompts chosen;
  for (const auto& [kind, members] : kinds) {
    const std::size_t take = std::min(members.size(), static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < take; ++i) {
      chosen.push_back(members[i * members.size() / take]);
    }
  }
  return chosen;
}

std::string audit_text(const RewardAudit& audit) {
  std::string text = fmt::format("{} probes on {} prompts\n", audit.probes, audit.prompts);
  append_findings(text, "false accepts", audit.false_accepts);
  append_findings(text, "false rejects", audit.false_rejects);
  append_findings(text, "unstable", audit.unstable);
  append_findings(text, "unscored (faults)", audit.unscored);
  if (audit.mutants > 0) {
    const auto share = [&](int part) { return 100.0 * part / audit.mutants; };
    text += fmt::format("{:<18}{:.1f} % of {} mutants refused ({:.1f} % with the audit suite)\n", "mutation score",
                        share(audit.mutants_refused), audit.mutants, share(audit.mutants_refused_by_all));
  }
  text += fmt::format("{:<18}p50 {:.1f} ms, p99 {:.1f} ms\n", "latency", audit.latency_ms(0.5), audit.latency_ms(0.99));
  text += "what a trick earns at most, and through which part\n";
  for (const auto& [trick, gain] : audit.tricks) {
    text += fmt::format("  {:<28} {:>6.3f}  {}\n", trick, gain.total, gain.part.empty() ? "-" : gain.part);
  }
  return strip_terminal(text);
}

Result<void> refuse_false_accepts(Judge& judge, const Settings& settings, const Prompts& prompts) {
  if (settings.reward_audit.prompts == 0) {
    return {};
  }
  ScorerOptions scoring = scorer_options(settings.judge);
  scoring.reward = settings.reward;
  const Prompts chosen = audit_selection(prompts, settings.reward_audit.prompts);
  const RewardAudit audit = audit_reward(judge, chosen, scoring, {.mutants = 0, .twice = false});
  if (audit.false_accepts.empty()) {
    return {};
  }
  const AuditFinding& first = audit.false_accepts.front();
  return Error{
      fmt::format("{} of {} probes get the full reward without solving their task, first '{}' on {}: a policy "
                  "would learn that. Mend the tasks (plumb audit-reward names all), or set "
                  "reward_audit.prompts=0 to train all the same",
                  audit.false_accepts.size(), audit.probes, first.trick, first.prompt_id)};
}

void register_audit_reward(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand(
      "audit-reward",
      "Try to cheat a config's reward, or look for cheating in a finished run; exits with 1 if it works");
  auto options = std::make_shared<AuditCommand>();
  command->add_option("config", options->config_file, "TOML file of a run; without one the defaults");
  command->add_option("--set", options->overrides, "section.key=value; overrides the file")->take_all();
  command->add_option("--run", options->run, "folder of a finished run whose samples are looked at instead");
  command->add_option("--prompts", options->prompts, "prompts of each language and of maths")
      ->check(CLI::Range(1, 1000000));
  command->add_option("--mutants", options->mutants, "mutants of each reference at most")->check(CLI::Range(0, 1000));
  command->callback([options, &action] {
    action = [options]() -> Result<int> {
      return options->run.empty() ? audit_config(*options) : audit_run(options->run);
    };
  });
}

}  // namespace plumb
