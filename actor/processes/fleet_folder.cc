#include "actor/processes/fleet_folder.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

namespace plumb::internal {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPrefix = "plumb-actors-";  // then the learner's process id, then what mkdtemp() chose
constexpr const char* kMemory = "/dev/shm";

// The process id in a fleet folder's name; 0: it is none.
pid_t owner_of(const std::string& name) {
  if (!name.starts_with(kPrefix)) {
    return 0;
  }
  const char* first = name.data() + std::strlen(kPrefix);
  pid_t pid = 0;
  const auto read = std::from_chars(first, name.data() + name.size(), pid);
  return read.ec == std::errc() && read.ptr != name.data() + name.size() && *read.ptr == '-' ? pid : 0;
}

// A descriptor of `folder` with the lock that its owner holds; -1: it is held.
int take_lock(const fs::path& folder) {
  const int descriptor = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor >= 0 && flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    close(descriptor);
    return -1;
  }
  return descriptor;
}

// A fleet that was killed together with all of its processes could not clean up.
void sweep(const fs::path& parent) {
  std::error_code error;
  for (fs::directory_iterator entry(parent, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    const pid_t owner = owner_of(entry->path().filename());
    if (owner <= 0 || kill(owner, 0) == 0 || errno != ESRCH) {
      continue;
    }
    if (const int lock = take_lock(entry->path()); lock >= 0) {
      std::error_code ignored;
      fs::remove_all(entry->path(), ignored);
      close(lock);
    }
  }
}

bool has_room(const fs::path& parent, std::int64_t bytes) {
  std::error_code error;
  const fs::space_info space = fs::space(parent, error);
  return !error && access(parent.c_str(), W_OK) == 0 && space.available > static_cast<std::uintmax_t>(bytes);
}

}  // namespace

bool is_fleet_folder(const std::string& path) {
  return owner_of(fs::path(path).filename()) > 0;
}

Result<FleetFolder> FleetFolder::make(std::int64_t bytes) {
  std::error_code error;
  fs::path temporary = fs::temp_directory_path(error);
  temporary = error ? fs::path("/tmp") : temporary;
  sweep(temporary);
  sweep(kMemory);
  const fs::path parent = has_room(kMemory, 2 * bytes) ? fs::path(kMemory) : temporary;
  FleetFolder folder;
  std::string path = parent / (kPrefix + std::to_string(getpid()) + "-XXXXXX");
  if (mkdtemp(path.data()) == nullptr) {
    return Error{path + ": the folder of the actors cannot be made: " + std::strerror(errno) +
                 "; set TMPDIR to one that can be written"};
  }
  folder.path_ = std::move(path);
  folder.lock_ = take_lock(folder.path_);
  return folder;
}

FleetFolder::FleetFolder(FleetFolder&& other) noexcept
    : path_(std::exchange(other.path_, {})),
      lock_(std::exchange(other.lock_, -1)),
      versions_(std::move(other.versions_)) {}

FleetFolder& FleetFolder::operator=(FleetFolder&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(lock_, other.lock_);
  std::swap(versions_, other.versions_);
  return *this;
}

FleetFolder::~FleetFolder() {
  if (!path_.empty()) {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  if (lock_ >= 0) {
    close(lock_);
  }
}

std::string FleetFolder::weights_file(std::int64_t version) const {
  return path_ + "/weights-" + std::to_string(version);
}

Result<void> FleetFolder::add(const WeightSet& weights) {
  if (auto written = write_weight_set(weights_file(weights.version), weights); !written) {
    return written.error().with_context("weights for the actors");
  }
  versions_.insert(weights.version);
  return {};
}

void FleetFolder::remove_before(std::int64_t version) {
  while (!versions_.empty() && *versions_.begin() < version) {
    std::error_code ignored;  // the destructor removes what stays
    fs::remove(weights_file(*versions_.begin()), ignored);
    versions_.erase(versions_.begin());
  }
}

}  // namespace plumb::internal
