#pragma once
// Which walls stand between a judged program and this machine.

#include <string>
#include <string_view>
#include <vector>

namespace plumb {

/// One wall: whether it stands here, and if not, why and what to do.
struct IsolationLayer {
  std::string name;  // "user", "pid", "mount", "net", "ipc", "uts", "cgroup_ns", "seccomp", "no_new_privs",
                     // "landlock", "private_uid", "cgroup_v1" or "cgroup_v2"
  bool present = false;
  std::string detail;  // present: e.g. "cgroup v1: memory, pids, cpuacct"; missing: what failed
  std::string remedy;  // missing only: one sentence that says what to do
};

/// All layers in a fixed order.
struct IsolationReport {
  std::vector<IsolationLayer> layers;

  /// The names of the present layers, comma-separated, e.g. "user,pid,mount,net,ipc,uts,cgroup_ns,seccomp,cgroup_v1".
  [[nodiscard]] std::string summary() const;
  /// Empty if all required layers (all but "landlock", a second wall) are present or named in `allow` ("no_namespaces",
  /// "no_cgroup"). Otherwise the message to refuse with: its first sentence names the missing layers and both remedies.
  [[nodiscard]] std::string refusal(const std::vector<std::string>& allow) const;
};

/// Starts a launcher, lets it try each layer, and ends it. `launcher` as in JudgeOptions. Never fails: a launcher that
/// cannot be started is reported as the missing layer "launcher".
IsolationReport probe_isolation(const std::string& launcher = "");

}  // namespace plumb
