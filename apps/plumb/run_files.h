#pragma once
// What a run leaves in its folder, by name: whether a folder holds a run, and whether a file is one's.

#include <string>
#include <string_view>

#include "core/result.h"

namespace plumb {

inline constexpr const char* kManifestFile = "manifest.json";
inline constexpr const char* kConfigFile = "config.toml";
inline constexpr const char* kReportFile = "report.html";

/// The name of the first file or folder in `folder` that a run would write to and that holds something; empty where
/// there is none.
std::string first_run_file(const std::string& folder);

/// Whether a run has done something in `folder` that is worth going on with: a step, a checkpoint, a sample, an
/// evaluation, a result. A run that was refused or killed before has left none of it.
bool holds_work(const std::string& folder);

/// Whether `path` is one of the files that plumb writes in a run folder, of a folder that holds a run.
bool is_run_file(const std::string& path);

/// That `path`, which `option` names, may be written over with a `what` ("page", "trace"): it is no file of a run but
/// its report, and if it is there it begins with `beginning`, in capitals or not, as one of plumb's does.
Result<void> check_replaceable(const std::string& option, const std::string& path, const std::string& what,
                               std::string_view beginning);

/// Whether `model` is a folder of weights that a run in `folder` would write.
bool is_result_of(const std::string& model, const std::string& folder);

}  // namespace plumb
