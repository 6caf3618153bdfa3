#pragma once
// report.html: what a run did and whether it learned, in one file that needs nothing else. No script runs in it and
// nothing is loaded: its content-security policy allows one style block, by hash. Everything that a model, a compiler
// or a judged program wrote goes through core/escape.h.

#include <filesystem>
#include <string>

#include "core/result.h"
#include "eval/report/run_data.h"

namespace plumb {

/// The whole page. A function of the data alone: the same run gives the same bytes.
std::string render_report(const RunData& run);

/// Reads the run folder and writes `path`, or <run_dir>/report.html where it is empty, whole or not at all. A run that
/// is still going, or that has only some of its stages, gives a page with what there is. Errors: a damaged file, named
/// with its line; a folder that holds no run, or cannot be written.
Result<void> write_report(const std::filesystem::path& run_dir, const std::filesystem::path& path = {});

}  // namespace plumb
