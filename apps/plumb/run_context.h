#pragma once
// What sft, grpo, eval and quickstart have in common: settings, tasks, a model, a judge and a run folder, opened in the
// order in which a mistake is cheapest to hear about.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "apps/plumb/custom_score_journal.h"
#include "apps/plumb/estimate.h"
#include "apps/plumb/fault_journal.h"
#include "apps/plumb/run_folder.h"
#include "apps/plumb/run_options.h"
#include "apps/plumb/settings.h"
#include "apps/plumb/tasks.h"
#include "apps/plumb/verdict_journal.h"
#include "apps/plumb/workbench.h"
#include "compiler_sandbox/judge.h"
#include "core/records.h"
#include "eval/humaneval.h"
#include "reward/rules/scorer.h"

namespace plumb {

/// Which parts a subcommand needs.
struct RunNeeds {
  bool judge = false;
  bool trainable = false;
};

class RunContext {
 public:
  /// Enters the run folder, reads the tasks and the model, starts the judge, and prints what the run will take. Nothing
  /// is written yet. Errors: any of these; a machine that cannot hold the run.
  static Result<std::unique_ptr<RunContext>> open(const RunOptions& options, Settings settings, const RunNeeds& needs);
  RunContext(const RunContext&) = delete;
  RunContext& operator=(const RunContext&) = delete;

  /// Makes the folder the run's, and opens the journals in it: for after everything that may refuse the run, and before
  /// judge(), scorer_options() and the logs are used. The second call does nothing.
  Result<void> claim();

  [[nodiscard]] const Settings& settings() const { return settings_; }
  Workbench& bench() { return *bench_; }
  RunFolder& folder() { return *folder_; }
  Judge& judge() { return *journal_; }
  /// The judge behind the journal, for what is no part of the run.
  Judge& sandbox() { return *sandbox_; }
  /// The first verdict, custom score or fault that could not be written down, if any; stages ask after every rollout.
  [[nodiscard]] Result<void> judge_status() const;
  /// Flushes the journals and the folder's logs to the disk: what a checkpoint counts has to be there before it.
  Result<void> sync_logs();
  /// Whether there is a run to go on with.
  [[nodiscard]] bool resume() const { return folder_->resumes(); }
  /// quick_roof_gflops() as it was when the run started.
  [[nodiscard]] double roof_gflops() const { return roof_gflops_; }
  [[nodiscard]] const Hyperparameters& shape() const { return shape_; }

  /// What completions are judged by in evaluations: verdicts alone. `audit`: also by the audit suite. `visit`: of
  /// FaultPlace; what is known not to have been scored there is not asked about again.
  [[nodiscard]] ScorerOptions scorer_options(bool audit, const std::string& visit) const;
  /// Where faults are written down before anything is made of what else was scored.
  FaultJournal& faults() { return *faults_; }
  /// One line with the time that `work` will take.
  void say_time(const RunWork& work) const;

  /// read_guards() of the settings.
  [[nodiscard]] const std::vector<HumanEvalProblem>& guard_problems() const { return guard_problems_; }
  /// Rows with a prompt of the named splits in file order; with no names, all.
  [[nodiscard]] Prompts tasks(const std::vector<std::string>& splits) const;
  /// Of these, those that can be judged (judgeable() of apps/plumb/tasks.h).
  [[nodiscard]] Prompts prompts(const std::vector<std::string>& splits) const;
  /// The splits that rows are of, in the order of their names.
  [[nodiscard]] std::vector<std::string> splits() const;
  /// See training_prompts in apps/plumb/tasks.h.
  [[nodiscard]] Prompts training_prompts() const;
  /// Demonstrations of the prompts of these splits that have a reference, and their plain texts.
  [[nodiscard]] std::vector<SftRecord> demonstrations_of(const std::vector<std::string>& splits) const;

 private:
  RunContext() = default;
  [[nodiscard]] std::vector<JsonJournal*> journals() const;

  Settings settings_;
  Hyperparameters shape_;
  double roof_gflops_ = 0;
  Prompts all_;
  std::vector<HumanEvalProblem> guard_problems_;
  std::unique_ptr<Workbench> bench_;
  std::optional<RunFolder> folder_;
  std::unique_ptr<Judge> sandbox_;  // null where the command judges nothing
  std::unique_ptr<VerdictJournal> journal_;
  std::unique_ptr<FaultJournal> faults_;
  std::unique_ptr<CustomScoreJournal> custom_scores_;  // null where the run has no custom reward
};

}  // namespace plumb
