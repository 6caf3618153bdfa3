#include "core/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <vector>

namespace plumb {
namespace {

namespace fs = std::filesystem;

// The sentence for a failed system call on `path`; a full disk gets advice of its own.
Error io_error(const std::string& path, const std::string& what, int error) {
  std::string reason = std::generic_category().message(error);
  if (error == ENOSPC || error == EDQUOT) {
    reason = "no space left on the disk; free some or choose another folder";
  } else if (error == EFBIG) {
    reason = "the file would be longer than this process may write; raise that limit (ulimit -f)";
  } else if (error == EACCES || error == EPERM || error == EROFS) {
    reason += "; check the owner and the mode of the folder, or choose another one";
  }
  return Error{path + ": " + what + ": " + reason};
}

Result<void> write_all(int descriptor, const std::string& path, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count <= 0) {
      return io_error(path, "cannot be written", count < 0 ? errno : ENOSPC);
    }
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

Result<void> sync_path(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    return io_error(path, "cannot be opened for fsync", errno);
  }
  const bool ok = ::fsync(descriptor) == 0;
  const int error = errno;
  ::close(descriptor);
  if (!ok) {
    return io_error(path, "fsync failed", error);
  }
  return {};
}

std::string folder_of(const std::string& path) {
  const std::string parent = fs::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}

std::string partial_name(const std::string& path) {
  return path + ".partial";
}

}  // namespace

Result<AtomicFile> AtomicFile::create(const std::string& path) {
  const std::string aside = partial_name(path);
  const int descriptor = ::open(aside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (descriptor < 0) {
    return io_error(path, "cannot be created", errno);
  }
  return AtomicFile(path, descriptor);
}

AtomicFile::~AtomicFile() {
  discard();
}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)) {}

AtomicFile& AtomicFile::operator=(AtomicFile&& other) noexcept {
  if (this != &other) {
    discard();
    path_ = std::move(other.path_);
    descriptor_ = std::exchange(other.descriptor_, -1);
  }
  return *this;
}

void AtomicFile::discard() {
  if (descriptor_ >= 0) {
    ::close(std::exchange(descriptor_, -1));
    ::unlink(partial_name(path_).c_str());
  }
}

Result<void> AtomicFile::write(std::string_view bytes) {
  PLUMB_CHECK(descriptor_ >= 0, "AtomicFile::write after commit");
  return write_all(descriptor_, path_, bytes);
}

Result<void> AtomicFile::write(std::span<const std::byte> bytes) {
  return write(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

Result<void> AtomicFile::commit() {
  PLUMB_CHECK(descriptor_ >= 0, "AtomicFile::commit called twice");
  if (::fsync(descriptor_) != 0) {
    return io_error(path_, "fsync failed", errno);
  }
  const std::string aside = partial_name(path_);
  if (::rename(aside.c_str(), path_.c_str()) != 0) {
    return io_error(path_, "cannot be put in place", errno);
  }
  ::close(std::exchange(descriptor_, -1));
  return sync_path(folder_of(path_));
}

Result<void> write_file_atomic(const std::string& path, std::string_view contents) {
  PLUMB_ASSIGN(AtomicFile file, AtomicFile::create(path));
  PLUMB_TRY(file.write(contents));
  return file.commit();
}

Result<std::string> read_file(const std::string& path, std::uint64_t max_bytes) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    return Error{path + ": cannot be read: " + std::generic_category().message(errno)};
  }
  std::string contents;
  std::vector<char> buffer(1 << 16);
  ssize_t count = 0;
  while ((count = ::read(descriptor, buffer.data(), buffer.size())) != 0 && contents.size() <= max_bytes) {
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      break;
    }
    contents.append(buffer.data(), static_cast<std::size_t>(count));
  }
  const int error = errno;
  ::close(descriptor);
  if (count < 0) {
    return Error{path + ": cannot be read: " + std::generic_category().message(error)};
  }
  if (contents.size() > max_bytes) {
    return Error{path + ": holds more than " + std::to_string(max_bytes) + " bytes, which is more than is read here"};
  }
  return contents;
}

Result<void> ensure_writable_folder(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) {
    return io_error(path, "the folder cannot be created", error.value());
  }
  const std::string probe = path + "/.write_probe." + std::to_string(::getpid());
  const int descriptor = ::open(probe.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor < 0) {
    return io_error(path, "the folder cannot be written", errno);
  }
  Result<void> written = write_all(descriptor, path, "probe\n");
  ::close(descriptor);
  ::unlink(probe.c_str());
  return written;
}

Result<void> commit_folder(const std::string& aside, const std::string& final_path) {
  std::error_code error;
  for (fs::recursive_directory_iterator entry(aside, error), end; !error && entry != end; entry.increment(error)) {
    PLUMB_TRY(sync_path(entry->path().string()));
  }
  if (error) {
    return io_error(aside, "cannot be listed", error.value());
  }
  PLUMB_TRY(sync_path(aside));
  const bool replaces = fs::exists(final_path, error);
  const unsigned int flags = replaces ? RENAME_EXCHANGE : RENAME_NOREPLACE;
  if (::renameat2(AT_FDCWD, aside.c_str(), AT_FDCWD, final_path.c_str(), flags) != 0) {
    return io_error(final_path, "cannot be put in place", errno);
  }
  PLUMB_TRY(sync_path(folder_of(final_path)));
  if (replaces) {
    fs::remove_all(aside, error);
    if (error) {
      return io_error(aside, "the replaced folder cannot be removed", error.value());
    }
  }
  return {};
}

Result<AppendFile> AppendFile::open(const std::string& path, std::uint64_t keep_bytes) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (descriptor < 0) {
    return io_error(path, "cannot be opened for writing", errno);
  }
  AppendFile file(path, descriptor, 0);
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) {
    return io_error(path, "cannot be examined", errno);
  }
  file.size_bytes_ = static_cast<std::uint64_t>(status.st_size);
  if (keep_bytes < file.size_bytes_) {
    if (::ftruncate(descriptor, static_cast<off_t>(keep_bytes)) != 0) {
      return io_error(path, "cannot be cut to its checkpointed length", errno);
    }
    file.size_bytes_ = keep_bytes;
  } else if (keep_bytes != UINT64_MAX && keep_bytes > file.size_bytes_) {
    return Error{
        path + ": expected at least " + std::to_string(keep_bytes) + " bytes, found " +
        std::to_string(file.size_bytes_) +
        "; the file was changed after the checkpoint; put it back from a copy, or start a new run with another "
        "--out"};
  }
  return file;
}

AppendFile::~AppendFile() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
}

AppendFile::AppendFile(AppendFile&& other) noexcept
    : path_(std::move(other.path_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      size_bytes_(other.size_bytes_) {}

AppendFile& AppendFile::operator=(AppendFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(descriptor_, other.descriptor_);
  std::swap(size_bytes_, other.size_bytes_);
  return *this;
}

Result<void> AppendFile::append(std::string_view line) {
  const std::string whole = std::string(line) + "\n";
  Result<void> written = write_all(descriptor_, path_, whole);
  if (!written) {
    // Half a line would make the file unreadable for every tool that reads it line by line.
    (void)!::ftruncate(descriptor_, static_cast<off_t>(size_bytes_));
    return written;
  }
  size_bytes_ += whole.size();
  return {};
}

Result<void> AppendFile::sync() {
  if (::fsync(descriptor_) != 0) {
    return io_error(path_, "fsync failed", errno);
  }
  return {};
}

}  // namespace plumb
