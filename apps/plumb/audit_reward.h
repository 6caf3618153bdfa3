#pragma once
// Whether a reward can be had without solving the task: asked before a run (audit-reward CONFIG, and grpo itself) and
// after it (audit-reward --run DIR).

#include <string>

#include "apps/plumb/tasks.h"
#include "core/result.h"
#include "reward/rules/reward_audit.h"

namespace plumb {

/// `count` prompts of each language and of maths, evenly spread over `prompts`.
Prompts audit_selection(const Prompts& prompts, int count);

/// The audit as text for a terminal, hostile bytes made harmless.
std::string audit_text(const RewardAudit& audit);

/// Reads the samples of the finished run in `folder` and prints what its policy may have learned to exploit: special
/// cases, printing, swallowed exceptions, disagreement with the audit suite, lengths. Yields 1 where solved samples
/// show any of these, else 0. Errors: no config, tasks or samples there.
Result<int> audit_run(const std::string& folder);

/// Refuses where a reward of this config can be had by a trick: audits settings.reward_audit.prompts prompts of each
/// language with `judge`. Errors: the first false accepts, and how to go on.
Result<void> refuse_false_accepts(Judge& judge, const Settings& settings, const Prompts& prompts);

}  // namespace plumb
