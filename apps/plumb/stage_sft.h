#pragma once
// The SFT stage: demonstrations and plain texts to weights.

#include <span>
#include <string>

#include "apps/plumb/run_context.h"
#include "core/records.h"
#include "learner/sft.h"

namespace plumb {

/// Trains on `train`, keeps the weights with the best loss on `dev`, logs as stage "sft". With sft.checkpoint_every,
/// and when the user stops it, the training is saved in the run folder below sft-progress/; with `resume` it goes on
/// from there to the same bits, or from the start where nothing was saved. With `resume` it opens the run folder's
/// logs.
Result<SftSummary> run_sft_stage(RunContext& context, std::span<const SftRecord> train, std::span<const SftRecord> dev,
                                 bool resume);

/// "dev loss 1.2345", or that there is none.
std::string dev_loss_text(const SftSummary& summary);

/// Removes sft-progress/, once the stage's result is in its place.
void forget_sft_progress(const RunFolder& folder);

}  // namespace plumb
