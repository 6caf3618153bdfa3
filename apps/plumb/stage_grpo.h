#pragma once
// The GRPO stage: sample, judge, learn, until the steps are done or the user stops it. The loop is in stage_grpo.cc;
// what a checkpoint holds is in checkpoint.h.

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

/// Runs settings.grpo.steps updates on prompts drawn from `prompts`. With `resume` it goes on from the newest
/// checkpoint of the folder. Errors: see the parts; a checkpoint that was there before stays whole.
Result<GrpoSummary> run_grpo_stage(RunContext& context, const Prompts& prompts, bool resume);

}  // namespace plumb
