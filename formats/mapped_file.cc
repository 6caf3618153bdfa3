#include "formats/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace plumb {

Result<MappedFile> MappedFile::open(const std::string& path) {
  const auto failed = [&](int error) {
    return Error{path + ": cannot be read: " + std::generic_category().message(error)};
  };
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    return failed(errno);
  }
  struct stat info = {};
  if (::fstat(descriptor, &info) != 0 || !S_ISREG(info.st_mode)) {
    ::close(descriptor);
    return Error{path + ": is no regular file"};
  }
  const auto size_bytes = static_cast<std::size_t>(info.st_size);
  void* data = nullptr;
  int error = 0;
  if (size_bytes > 0) {
    data = ::mmap(nullptr, size_bytes, PROT_READ, MAP_PRIVATE, descriptor, 0);
    error = errno;
  }
  ::close(descriptor);
  if (data == MAP_FAILED) {
    return failed(error);
  }
  return MappedFile(static_cast<const std::byte*>(data), size_bytes);
}

MappedFile::~MappedFile() {
  unmap();
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_bytes_(std::exchange(other.size_bytes_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  if (this != &other) {
    unmap();
    data_ = std::exchange(other.data_, nullptr);
    size_bytes_ = std::exchange(other.size_bytes_, 0);
  }
  return *this;
}

void MappedFile::unmap() {
  if (data_ != nullptr) {
    // munmap takes a pointer to non-const although it writes nothing.
    ::munmap(const_cast<std::byte*>(data_), size_bytes_);
    data_ = nullptr;
  }
}

}  // namespace plumb
