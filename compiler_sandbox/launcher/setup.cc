#include "compiler_sandbox/launcher/setup.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "compiler_sandbox/launcher/failure.h"
#include "compiler_sandbox/launcher/landlock.h"
#include "compiler_sandbox/launcher/root_tree.h"
#include "compiler_sandbox/launcher/seccomp_filter.h"

namespace plumb {

namespace {

// Above every id that Debian gives out; the launcher's process id keeps slots of one machine apart.
constexpr uid_t kFirstSlotId = 70000;

bool write_text(const char* path, const std::string& text) {
  UniqueFd fd(open(path, O_WRONLY | O_CLOEXEC));
  return fd.valid() && write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

// An ordinary user is root of a user namespace of its own first; only there may it make the others.
std::string enter_namespaces(bool privileged, const std::string& cache_dir, const std::vector<std::string>& mounts) {
  const uid_t uid = getuid();
  const gid_t gid = getgid();
  if (!privileged) {
    if (unshare(CLONE_NEWUSER) != 0) {
      return failure("unshare(CLONE_NEWUSER)");
    }
    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
    const bool mapped = write_text("/proc/self/setgroups", "deny") &&
                        write_text("/proc/self/uid_map", "0 " + std::to_string(uid) + " 1\n") &&
                        write_text("/proc/self/gid_map", "0 " + std::to_string(gid) + " 1\n");
    if (!mapped) {
      return failure("write the user id map");
    }
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  }
  if (unshare(CLONE_NEWNS) != 0) {
    return failure("unshare(CLONE_NEWNS)");
  }
  if (unshare(CLONE_NEWNET) != 0) {
    return failure("unshare(CLONE_NEWNET)");
  }
  if (unshare(CLONE_NEWIPC | CLONE_NEWUTS) != 0) {
    return failure("unshare(CLONE_NEWIPC | CLONE_NEWUTS)");
  }
  return enter_root_tree(cache_dir, mounts);
}

// A session that starts proves that the remaining namespaces, id maps and mounts work.
std::string try_session(const Slot& slot) {
  std::string error;
  const nlohmann::json begin{{"files", nlohmann::json::object()}, {"work_mib", 1}};
  return Session::start(slot, begin, nullptr, error) ? std::string() : error;
}

// Its own tree, which holds nothing else; or of this machine's what such a tree would be made of.
std::vector<std::string> readable_paths(bool namespaces, const nlohmann::json& request) {
  if (namespaces) {
    return {"/"};
  }
  std::vector<std::string> paths = {"/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc/ld.so.cache"};
  paths.push_back(request.at("cache_dir").get<std::string>());
  for (const auto& path : request.at("mounts")) {
    paths.push_back(path.get<std::string>());
  }
  return paths;
}

nlohmann::json layer(const char* name, bool present, const std::string& detail) {
  return {{"name", name}, {"present", present}, {"detail", detail}};
}

}  // namespace

nlohmann::json set_up_slot(const nlohmann::json& request, Slot& slot) {
  slot.privileged = geteuid() == 0;
  slot.uid = kFirstSlotId + 2 * static_cast<uid_t>(getpid());
  slot.proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
  slot.cgroup = Cgroup::create();
  std::string namespace_error = enter_namespaces(slot.privileged, request.at("cache_dir").get<std::string>(),
                                                 request.at("mounts").get<std::vector<std::string>>());
  slot.filter = build_seccomp_filter();
  if (namespace_error.empty()) {
    slot.namespaces = true;
    slot.readable = readable_paths(true, request);
    namespace_error = try_session(slot);
    slot.namespaces = namespace_error.empty();
  }
  slot.readable = readable_paths(slot.namespaces, request);
  const std::string cgroup_name = "cgroup_v" + std::to_string(slot.cgroup.present() ? slot.cgroup.version() : 1);
  nlohmann::json layers = nlohmann::json::array();
  for (const char* name : {"user", "pid", "mount", "net", "ipc", "uts", "cgroup_ns"}) {
    layers.push_back(layer(name, slot.namespaces, namespace_error));
  }
  layers.push_back(layer("seccomp", !slot.filter.empty(), slot.filter.empty() ? "the filter cannot be built" : ""));
  layers.push_back(layer("no_new_privs", true, ""));
  const int landlock = landlock_version();
  layers.push_back(layer("landlock", landlock > 0,
                         landlock > 0 ? "Landlock " + std::to_string(landlock) : "the kernel has no Landlock"));
  layers.push_back(layer("private_uid", slot.privileged,
                         slot.privileged ? "" : "started by an ordinary user: programs run with that user's id"));
  layers.push_back(layer(cgroup_name.c_str(), slot.cgroup.present(), slot.cgroup.detail()));
  return layers;
}

}  // namespace plumb
