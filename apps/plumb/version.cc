#include "apps/plumb/version.h"

#include <oneapi/dnnl/dnnl.hpp>

#include "core/machine.h"
#include "git_commit.h"

namespace plumb {

std::string plumb_version() {
  return PLUMB_VERSION;
}

std::string git_commit() {
  return PLUMB_GIT_COMMIT;
}

std::string onednn_version() {
  const dnnl_version_t* version = dnnl_version();
  return std::to_string(version->major) + "." + std::to_string(version->minor) + "." + std::to_string(version->patch);
}

std::string version_line() {
  return "plumb " + plumb_version() + " (commit " + git_commit() + ", " + compiler_of_build() + ", oneDNN " +
         onednn_version() + ")";
}

}  // namespace plumb
