#include "apps/plumb/folder_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace plumb {
namespace {

// The digits that the file begins with.
std::string owner_of(int descriptor) {
  std::array<char, 32> text{};
  const ssize_t count = ::pread(descriptor, text.data(), text.size(), 0);
  const std::string all(text.data(), count > 0 ? static_cast<std::size_t>(count) : 0);
  return all.substr(0, all.find_first_not_of("0123456789"));
}

}  // namespace

FolderLock::~FolderLock() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
}

FolderLock::FolderLock(FolderLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

FolderLock& FolderLock::operator=(FolderLock&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

Result<FolderLock> FolderLock::take(const std::string& folder) {
  const std::string path = folder + "/" + kFile;
  FolderLock lock;
  lock.descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (lock.descriptor_ < 0) {
    return Error{fmt::format("{}: cannot be opened: {}; check the owner and the mode of the folder", path,
                             std::strerror(errno))};
  }
  if (::flock(lock.descriptor_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    const std::string owner = owner_of(lock.descriptor_);
    return Error{fmt::format("{}: pid {} is at work here; wait for it, stop it, or choose another --out", folder,
                             owner.empty() ? "of another process" : owner)};
  }
  const std::string own = std::to_string(::getpid()) + "\n";
  // Of use to whoever is refused, and to nobody else: a full disk must not keep a run from going on.
  static_cast<void>(!::ftruncate(lock.descriptor_, 0));
  static_cast<void>(!::pwrite(lock.descriptor_, own.data(), own.size(), 0));
  return lock;
}

}  // namespace plumb
