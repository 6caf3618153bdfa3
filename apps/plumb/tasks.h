#pragma once
// What a config says about tasks and their judging, for the subcommands that need no model.

#include <memory>
#include <string>
#include <vector>

#include "apps/plumb/settings.h"
#include "compiler_sandbox/judge.h"
#include "core/records.h"
#include "core/result.h"
#include "reward/rules/scorer.h"

namespace plumb {

using Prompts = std::vector<std::shared_ptr<const PromptRecord>>;

/// How the judge is set up by a config.
JudgeOptions judge_options(const JudgeSettings& settings);
/// The limits of a config; everything else at its default.
ScorerOptions scorer_options(const JudgeSettings& settings);

/// All tasks of a config, in the order of its files. Errors: see datasets/task_file.h; an id or a file that is there
/// twice.
Result<Prompts> load_tasks(const DataSettings& data);
/// Whether the record is of one of the named splits; with no names, of any.
bool is_in_splits(const PromptRecord& record, const std::vector<std::string>& splits);
/// The tasks of the named splits, in the same order: plain texts are none.
Prompts in_splits(const Prompts& prompts, const std::vector<std::string>& splits);
/// What GRPO draws from: the judgeable tasks of data.train_splits; where that names none, all but those of
/// grpo.dev_split, which are for choosing the best weights and so are never trained on unasked.
Prompts training_prompts(const Prompts& prompts, const Settings& settings);
/// Those that a verdict can be given on: chat without an answer needs a custom reward that is the verdict.
Prompts judgeable(Prompts prompts, const RewardOptions& reward);
/// That there are none to train on, as part of a message.
inline constexpr const char* kNoTrainingPrompts =
    "no row of data.tasks is in data.train_splits with data.languages (rows of grpo.dev_split count only where "
    "data.train_splits names it; chat without an answer only with reward.custom_role = \"verdict\")";

}  // namespace plumb
