#pragma once
// A run folder that no run made: plausible numbers from fixed random streams, for the report's tests and for looking at
// its design. The numbers mean nothing.

#include <filesystem>

#include "core/result.h"

namespace plumb {

struct SyntheticRunOptions {
  int functions = 60;
  int grpo_steps = 60;
  bool hostile = false;  // script tags, terminal escapes and invalid UTF-8 wherever a model or a compiler can write
};

/// Fills `run_dir`, which must exist, with manifest, config, metrics, timings, evaluations of three stages and samples.
Result<void> write_synthetic_run(const std::filesystem::path& run_dir, const SyntheticRunOptions& options = {});

}  // namespace plumb
