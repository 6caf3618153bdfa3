#pragma once
// One page for several runs: what each came to, their curves over each other, what their configs differ in, and where
// the time went.

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "core/result.h"
#include "eval/report/run_data.h"

namespace plumb {

inline constexpr std::size_t kMostComparedRuns = 6;  // as many as there are colours

/// The whole page; the first run is the one that the others are measured against. 1 to kMostComparedRuns runs.
std::string render_comparison(std::span<const RunData> runs);

/// Reads the run folders and writes `path`, whole or not at all. Errors: too many runs; as write_report().
Result<void> write_comparison(const std::vector<std::filesystem::path>& run_dirs, const std::filesystem::path& path);

}  // namespace plumb
