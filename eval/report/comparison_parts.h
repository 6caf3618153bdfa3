#pragma once
// The parts of the page that compares runs, each a function of their data that returns HTML; an empty string where no
// run has anything to show for it.

#include <span>
#include <string>

#include "eval/report/sections.h"

namespace plumb {

/// A table for every set: each run's last stage, and what it is more than that of the first run on the set.
std::string compared_results(std::span<const RunData> runs);

/// The curves of one stage over each other, under a heading with `title`; at most kMostComparedRuns runs.
std::string compared_curves(std::span<const RunData> runs, const std::string& stage, const char* title);

}  // namespace plumb
