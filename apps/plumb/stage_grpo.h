#pragma once
// The GRPO stage: sample, judge, learn, until the steps are done or the user stops it. The loop is in grpo_run.cc;
// what a checkpoint holds is in checkpoint.h.

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "apps/plumb/run_context.h"
#include "core/records.h"

namespace plumb {

struct GrpoSummary {
  std::int64_t steps = 0;            // done, over all resumes
  std::int64_t skipped_updates = 0;  // steps whose groups were all dropped
  bool stopped = false;              // by the user; a checkpoint was written
};

/// What run_grpo_stage() would refuse before its first step. Errors name the setting, the prompt or the file.
Result<void> check_grpo_stage(RunContext& context, const Prompts& prompts);

/// Runs settings.grpo.steps steps on prompts drawn from `prompts`, or as far as `last_step` (which changes nothing of
/// the steps before). With `resume` it goes on from the newest whole checkpoint of the folder. Claims the run folder
/// once nothing can be refused any more, and opens its logs where they are not open yet. Errors: see the parts; a
/// checkpoint that was there before stays whole.
Result<GrpoSummary> run_grpo_stage(RunContext& context, const Prompts& prompts, bool resume,
                                   std::int64_t last_step = INT64_MAX);

}  // namespace plumb
