#include "compiler_sandbox/launcher/cgroup.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sstream>

#include "compiler_sandbox/launcher/cgroup_files.h"

namespace plumb {

namespace {

constexpr const char* kPrefix = "plumb-sandbox-";
constexpr const char* kLeaf = "plumb-leaf";

bool gives_children_limits(int folder) {
  const std::string enabled = read_at(folder, "cgroup.subtree_control");
  return enabled.find("memory") != std::string::npos && enabled.find("pids") != std::string::npos;
}

bool enable_limits(int folder) {
  return gives_children_limits(folder) || write_at(folder, "cgroup.subtree_control", "+memory +pids");
}

// A v2 group that holds processes cannot give its children limits, unless it is the machine's root. At the top of a
// container's hierarchy there is no way round it: its processes move into a leaf.
bool enable_limits_at_top(int folder) {
  if (mkdirat(folder, kLeaf, 0755) != 0 && errno != EEXIST) {
    return false;
  }
  UniqueFd leaf(openat(folder, kLeaf, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  std::istringstream pids(read_at(folder, "cgroup.procs"));
  for (std::string pid; leaf.valid() && pids >> pid;) {
    static_cast<void>(write_at(leaf.get(), "cgroup.procs", pid));
  }
  return enable_limits(folder);
}

// Groups of launchers that were killed before they could remove theirs.
void sweep(int parent) {
  const int copy = openat(parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* folder = copy >= 0 ? fdopendir(copy) : nullptr;
  while (folder != nullptr) {
    const dirent* entry = readdir(folder);
    if (entry == nullptr) {
      break;
    }
    if (std::strncmp(entry->d_name, kPrefix, std::strlen(kPrefix)) == 0) {
      const auto pid = static_cast<pid_t>(number(entry->d_name + std::strlen(kPrefix)));
      if (pid > 0 && kill(pid, 0) != 0 && errno == ESRCH) {
        unlinkat(parent, entry->d_name, AT_REMOVEDIR);
      }
    }
  }
  if (folder != nullptr) {
    closedir(folder);
  }
}

}  // namespace

bool Cgroup::join(const std::string& controller, const std::string& parent_path, const std::string& home_path) {
  Folder folder;
  folder.home = UniqueFd(open(home_path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  folder.parent = UniqueFd(open(parent_path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  folder.name = kPrefix + std::to_string(getpid());
  if (parent_path.empty() || !folder.parent.valid()) {
    detail_ = "the " + controller + " controller is not mounted";
    return false;
  }
  sweep(folder.parent.get());
  if (mkdirat(folder.parent.get(), folder.name.c_str(), 0755) != 0 && errno != EEXIST) {
    detail_ = "cannot make a group in " + parent_path + ": " + std::strerror(errno);
    return false;
  }
  folder.self = UniqueFd(openat(folder.parent.get(), folder.name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const bool moved = folder.self.valid() && write_at(folder.self.get(), "cgroup.procs", "0");
  if (!moved) {
    detail_ = "cannot enter the group in " + parent_path + ": " + std::strerror(errno);
  }
  folders_[controller] = std::move(folder);
  return moved;
}

bool Cgroup::create_v1() {
  for (const char* controller : {"memory", "pids", "cpuacct"}) {
    const std::string own = own_group(controller).path;
    if (!join(controller, own, own)) {
      return false;
    }
  }
  version_ = 1;
  detail_ = "cgroup v1: memory, pids, cpuacct";
  return true;
}

bool Cgroup::create_v2() {
  const OwnGroup own = own_group("");
  if (own.path.empty()) {
    detail_ = "no cgroup hierarchy is mounted";
    return false;
  }
  // The nearest group upwards that gives its children limits, or can be made to.
  for (std::string path = own.path; path.size() >= own.mount.size(); path.resize(path.rfind('/'))) {
    UniqueFd folder(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const std::string controllers = folder.valid() ? read_at(folder.get(), "cgroup.controllers") : "";
    if (controllers.find("memory") == std::string::npos || controllers.find("pids") == std::string::npos) {
      detail_ = "cgroup v2 at " + path + " has no memory and pids controllers";
      return false;
    }
    const bool at_top = path.size() <= own.mount.size() + 1;
    const bool enabled = enable_limits(folder.get());
    if (enabled || (at_top && errno == EBUSY && enable_limits_at_top(folder.get()))) {
      version_ = join("unified", path, enabled ? own.path : path + "/" + kLeaf) ? 2 : 0;
      detail_ = version_ == 2 ? "cgroup v2: memory, pids" : detail_;
      return version_ == 2;
    }
    detail_ = "cannot enable memory and pids below " + path + ": " + std::strerror(errno);
  }
  return false;
}

Cgroup Cgroup::create() {
  Cgroup group;
  if (group.create_v1()) {
    return group;
  }
  const std::string first = group.detail_;
  group.remove();
  if (!group.create_v2()) {
    group.remove();
    group.detail_ = first + "; " + group.detail_;
  }
  return group;
}

std::string Cgroup::read(const std::string& controller, const char* file) const {
  const auto place = folders_.find(version_ == 2 ? "unified" : controller);
  return place == folders_.end() ? std::string() : read_at(place->second.self.get(), file);
}

bool Cgroup::write(const std::string& controller, const char* file, const std::string& text) const {
  const auto place = folders_.find(version_ == 2 ? "unified" : controller);
  return place != folders_.end() && write_at(place->second.self.get(), file, text);
}

bool Cgroup::set_limits(std::int64_t memory_bytes, int processes) const {
  if (!present()) {
    return true;
  }
  const std::string memory = std::to_string(memory_bytes);
  bool good = write("pids", "pids.max", std::to_string(processes + 3));
  if (version_ == 2) {
    static_cast<void>(write("memory", "memory.swap.max", "0"));
    return good && write("memory", "memory.max", memory);
  }
  // Going up, the limit with swap must move first; going down, last.
  static_cast<void>(write("memory", "memory.memsw.limit_in_bytes", memory));
  good = write("memory", "memory.limit_in_bytes", memory) && good;
  static_cast<void>(write("memory", "memory.memsw.limit_in_bytes", memory));
  return good;
}

void Cgroup::make_way(bool on) const {
  const bool idle = write("cpuacct", "cpu.idle", on ? "1" : "0");
  if (!idle && version_ == 2) {
    static_cast<void>(write("cpuacct", "cpu.weight", on ? "1" : "100"));
  } else if (!idle && version_ == 1) {
    static_cast<void>(write("cpuacct", "cpu.shares", on ? "2" : "1024"));
  }
}

std::int64_t Cgroup::usage_bytes() const {
  return number(read("memory", version_ == 2 ? "memory.current" : "memory.usage_in_bytes"));
}

std::int64_t Cgroup::kept_bytes() const {
  return usage_bytes() - keyed_number(read("memory", "memory.stat"), version_ == 2 ? "file" : "cache");
}

std::int64_t Cgroup::oom_count() const {
  return version_ == 2 ? keyed_number(read("memory", "memory.events"), "oom_kill")
                       : keyed_number(read("memory", "memory.oom_control"), "oom_kill");
}

void Cgroup::start_measurement() {
  if (!present()) {
    return;
  }
  static_cast<void>(write("memory", version_ == 2 ? "memory.peak" : "memory.max_usage_in_bytes", "0"));
  start_usage_ = usage_bytes();
  start_ooms_ = oom_count();
}

double Cgroup::cpu_s() const {
  if (version_ == 2) {
    return static_cast<double>(keyed_number(read("cpu", "cpu.stat"), "usage_usec")) * 1e-6;
  }
  return static_cast<double>(number(read("cpuacct", "cpuacct.usage"))) * 1e-9;
}

std::int64_t Cgroup::peak_bytes() const {
  const std::int64_t peak = number(read("memory", version_ == 2 ? "memory.peak" : "memory.max_usage_in_bytes"));
  return std::max<std::int64_t>(0, peak - start_usage_);
}

std::int64_t Cgroup::oom_kills() const {
  return present() ? oom_count() - start_ooms_ : 0;
}

std::vector<int> Cgroup::processes() const {
  std::istringstream lines(read("pids", "cgroup.procs"));
  std::vector<int> pids;
  for (int pid = 0; lines >> pid;) {
    pids.push_back(pid);
  }
  return pids;
}

void Cgroup::remove() {
  for (auto& [controller, folder] : folders_) {
    write_at(folder.home.get(), "cgroup.procs", "0");
    unlinkat(folder.parent.get(), folder.name.c_str(), AT_REMOVEDIR);
    if (folder.parent.valid()) {
      sweep(folder.parent.get());
    }
  }
  folders_.clear();
  version_ = 0;
}

}  // namespace plumb
