#include "compiler_sandbox/tool_versions.h"

#include <algorithm>
#include <vector>

#include "compiler_sandbox/local_tool.h"

namespace plumb {
namespace {

constexpr std::size_t kMaxBytes = 120;  // of a tool's line

std::string ask(const std::vector<std::vector<std::string>>& commands) {
  std::string versions;
  for (const std::vector<std::string>& command : commands) {
    const auto said = run_local_tool(command);
    if (said) {
      versions += (versions.empty() ? "" : "; ") + said->substr(0, std::min(said->find('\n'), kMaxBytes));
    }
  }
  return versions;
}

}  // namespace

std::string ToolVersions::of(const Submission& submission) {
  const std::string language =
      submission.program_language.empty() ? std::string(to_string(submission.language)) : submission.program_language;
  const bool cpp = language == to_string(Language::kCpp);
  const auto file = languages_.find(language);
  if (!cpp && (file == languages_.end() || !file->second.missing.empty())) {
    return "";
  }
  Known* known = nullptr;
  {
    const std::lock_guard lock(mutex_);
    known = &known_[language];
  }
  std::call_once(known->asked,
                 [&] { known->versions = ask(cpp ? tools_.cpp_version_commands() : file->second.versions); });
  return known->versions;
}

}  // namespace plumb
