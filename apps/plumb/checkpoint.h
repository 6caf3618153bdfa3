#pragma once
// A checkpoint of training: checkpoints/step-000020/ is a Hugging Face folder (f32 masters) with two more files,
// optimizer.safetensors (AdamW moments) and trainer.json (counters and the data cursor). It is written aside, fsynced
// and renamed, so one that can be seen is whole.

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "apps/plumb/workbench.h"
#include "learner/optimizer.h"

namespace plumb {

/// Counters that go on over a resume.
struct TrainerState {
  std::int64_t step = 0;
  std::int64_t num_tokens = 0;
  std::int64_t skipped_updates = 0;
  std::uint64_t samples_bytes = 0;  // length of samples.jsonl
  nlohmann::json sampler;           // PromptSampler's cursor
};

/// Writes checkpoints/step-NNNNNN below `run_folder` and removes all but the newest `keep`.
Result<void> save_checkpoint(const std::string& run_folder, const TrainerState& state, Workbench& bench,
                             const Optimizer& optimizer, int keep);

/// The newest checkpoint's folder; nothing where there is none.
std::optional<std::string> newest_checkpoint(const std::string& run_folder);

/// Loads weights, moments and counters. Errors name the file and what is wrong with it.
Result<TrainerState> load_checkpoint(const std::string& folder, Workbench& bench, Optimizer& optimizer);

}  // namespace plumb
