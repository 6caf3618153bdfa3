#pragma once
// RUN/bad-batch.jsonl: what a training was on when its numbers ceased to be finite, to be looked at.

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "apps/plumb/run_folder.h"
#include "apps/plumb/update_watch.h"
#include "learner/reward_model.h"
#include "learner/sft.h"
#include "tokenizer/tokenizer.h"

namespace plumb {

/// A row of an example: its tokens, and their text with special tokens (docs/records.md).
nlohmann::json bad_batch_row(const std::string& id, const SftExample& example, const Tokenizer& tokenizer);
nlohmann::json bad_batch_row(const RewardPair& pair, const Tokenizer& tokenizer);
nlohmann::json bad_batch_row(const RatedCompletion& rated, const Tokenizer& tokenizer);
nlohmann::json bad_batch_row(const SteppedCompletion& stepped, const Tokenizer& tokenizer);

/// Writes the rows, in place of an earlier stop's. Always an error: what `word` says of the stage, where the batch is,
/// and what to do; `section` has the learning rate.
Error stop_with_bad_batch(const RunFolder& folder, const std::string& stage, const std::string& section,
                          const UpdateWatch::Word& word, const std::vector<nlohmann::json>& rows);

}  // namespace plumb
