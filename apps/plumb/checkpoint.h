#pragma once
// A checkpoint of training: checkpoints/step-000020/ is a Hugging Face folder (f32 masters) with more files beside:
// optimizer.safetensors (AdamW moments), reference.safetensors (where a reference moves),
// best.safetensors (where there is a best on dev to come back to) and trainer.json (counters,
// the data cursor, and the SHA-256 of the other files). It is written aside, fsynced and renamed, so one that can be
// seen was whole when it was written; the checksums say whether it still is.

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "apps/plumb/workbench.h"
#include "core/lent_values.h"
#include "learner/optimizer.h"
#include "learner/reference.h"

namespace plumb {

/// Counters that go on over a resume.
struct TrainerState {
  std::int64_t step = 0;
  std::int64_t num_tokens = 0;
  std::int64_t skipped_updates = 0;
  std::uint64_t samples_bytes = 0;  // length of samples.jsonl
  nlohmann::json sampler;           // PromptSampler's cursor; of SFT what its callbacks need
  double entropy_coefficient = 0;   // as its target has moved it
  nlohmann::json dev;               // DevWatch's counters
  int skipped_in_a_row = 0;         // updates whose gradient was not finite
};

/// Everything that a checkpoint saves besides counters, and loads but for `best`.
struct TrainedParts {
  Workbench& bench;
  Optimizer& optimizer;
  ReferencePolicy* reference = nullptr;  // where it moves; null: it is absent or stays as it was at the start
  const std::vector<std::vector<float>>* best = nullptr;  // weights to come back to, one vector per parameter, or none
};

/// Errors: the disk of `run_folder` has less room than a checkpoint of `parts` takes, with both figures.
Result<void> check_disk_for_checkpoint(const std::string& run_folder, std::int64_t step, const TrainedParts& parts);

/// What is fixed when a checkpoint begins, though it is written while the training goes on.
struct CheckpointSaving {
  int keep = 1;
  std::int64_t num_updates = 0;
  std::vector<std::span<const float>> best;  // of TrainedParts::best, or none
  LentValues* lender = nullptr;
};

/// Adds all that a checkpoint of `parts` reads.
void announce(const TrainedParts& parts, LentValues& lent);

/// Writes checkpoints/step-NNNNNN below `run_folder` and removes all but the newest ones.
Result<void> save_checkpoint(const std::string& run_folder, const TrainerState& state, const TrainedParts& parts,
                             const CheckpointSaving& saving);

/// Folders of all checkpoints, oldest first.
std::vector<std::string> checkpoints_of(const std::string& run_folder);

/// The newest checkpoint's folder; nothing where there is none.
std::optional<std::string> newest_checkpoint(const std::string& run_folder);

/// What is wrong with a checkpoint's files: absent, of another format, or not what was written. Reads all of them.
Result<void> check_checkpoint(const std::string& folder);

/// Loads weights, moments and counters into `parts`, and the weights to come back to into `best`, where both the caller
/// and the checkpoint have them. Errors name the file and what is wrong with it.
Result<TrainerState> load_checkpoint(const std::string& folder, const TrainedParts& parts,
                                     std::vector<std::vector<float>>* best = nullptr);

/// Loads the newest checkpoint that is whole, and says on standard error what is wrong with newer ones; those are
/// renamed to step-NNNNNN.damaged, for the run writes them again, to the same bits. Nothing where the run has no
/// checkpoint. Errors: none of them is whole.
Result<std::optional<TrainerState>> load_newest_checkpoint(const std::string& run_folder, const TrainedParts& parts,
                                                           std::vector<std::vector<float>>* best = nullptr);

}  // namespace plumb
