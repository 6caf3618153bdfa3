#pragma once
// The SFT stage: demonstrations and plain texts to weights.

#include <span>
#include <string>

#include "apps/plumb/run_context.h"
#include "core/records.h"
#include "learner/sft.h"

namespace plumb {

/// What run_sft_stage() would refuse before its first step. Errors name the setting or the row.
Result<void> check_sft_stage(RunContext& context, std::span<const SftRecord> train, std::span<const SftRecord> dev);

/// Trains on `train`, keeps the weights with the best loss on `dev`, logs as stage "sft". With sft.checkpoint_every,
/// and when the user stops it, the training is saved in the run folder below sft-progress/; with `resume` it goes on
/// from there to the same bits, or from the start where nothing was saved. Claims the run folder once nothing can be
/// refused any more, and opens its logs where they are not open yet.
Result<SftSummary> run_sft_stage(RunContext& context, std::span<const SftRecord> train, std::span<const SftRecord> dev,
                                 bool resume);

/// "dev loss 1.2345", or that there is none.
std::string dev_loss_text(const SftSummary& summary);

/// Whether the folder holds all that plumb sft leaves: weights, and no state to go on from.
bool is_complete_sft(const RunFolder& folder);

/// Removes sft-progress/, once the stage's result is in its place.
void forget_sft_progress(const RunFolder& folder);

}  // namespace plumb
