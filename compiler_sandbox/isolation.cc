#include "compiler_sandbox/isolation.h"

#include <algorithm>

#include "compiler_sandbox/worker.h"

namespace plumb {

namespace {

// The loosening of `allow` that covers a missing layer; empty where none does.
std::string loosening_for(const std::string& name) {
  if (name.starts_with("cgroup_v") || name == "private_uid") {
    return "no_cgroup";
  }
  return name == "seccomp" || name == "no_new_privs" || name == "launcher" ? "" : "no_namespaces";
}

// Landlock stands behind mounts and seccomp; many kernels lack it, and none of the others relies on it.
bool is_allowed(const std::string& name, const std::vector<std::string>& allow) {
  if (name == "landlock") {
    return true;
  }
  const std::string loosening = loosening_for(name);
  return !loosening.empty() && std::find(allow.begin(), allow.end(), loosening) != allow.end();
}

}  // namespace

std::string IsolationReport::summary() const {
  std::string text;
  for (const IsolationLayer& layer : layers) {
    if (layer.present) {
      text += (text.empty() ? "" : ",") + layer.name;
    }
  }
  return text;
}

std::string IsolationReport::refusal(const std::vector<std::string>& allow) const {
  std::string names;
  std::string remedies;
  std::string details;
  for (const IsolationLayer& layer : layers) {
    if (layer.present || is_allowed(layer.name, allow)) {
      continue;
    }
    names += (names.empty() ? "" : ", ") + layer.name;
    if (remedies.find(layer.remedy) == std::string::npos) {
      remedies += (remedies.empty() ? "" : "; ") + layer.remedy;
    }
    if (details.find(layer.detail) == std::string::npos) {
      details += (details.empty() ? "" : "; ") + layer.detail;
    }
  }
  if (names.empty()) {
    return {};
  }
  return "The sandbox lacks the layer(s) " + names + ": " + remedies + ". What failed: " + details + ".";
}

IsolationReport probe_isolation(const std::string& launcher) {
  auto path = find_launcher(launcher);
  auto worker = path ? Worker::start(*path, "/usr") : Result<std::unique_ptr<Worker>>(path.error());
  if (worker) {
    return (*worker)->isolation();
  }
  IsolationLayer missing;
  missing.name = "launcher";
  missing.detail = worker.error().message;
  missing.remedy = "build the target plumb-sandbox and keep it beside plumb";
  return IsolationReport{{missing}};
}

}  // namespace plumb
