#pragma once
// Which plumb this is.

#include <string>

namespace plumb {

std::string plumb_version();  // "0.1.0"
std::string git_commit();  // that was built, "-dirty" at the end where files differed; "unknown" outside a repository
std::string onednn_version();  // of the library that is loaded, "2.6.3"

/// "plumb 0.1.0 (commit 0123456789ab, g++ 12.2.0, oneDNN 2.6.3)"
std::string version_line();

}  // namespace plumb
