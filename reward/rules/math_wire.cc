#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "reward/rules/math/wire.h"

namespace plumb::math {

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written <= 0) {
      return false;
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

bool FrameWriter::send(int fd) const {
  const auto size = static_cast<std::uint32_t>(bytes_.size());
  std::string frame(reinterpret_cast<const char*>(&size), sizeof(size));
  frame += bytes_;
  return size <= kMaxFrameBytes && write_all(fd, frame);
}

namespace {

bool read_exactly(int fd, char* out, std::size_t size, int timeout_ms) {
  while (size > 0) {
    pollfd ready{fd, POLLIN, 0};
    const int events = poll(&ready, 1, timeout_ms);
    if (events < 0 && errno == EINTR) {
      continue;
    }
    if (events <= 0) {
      return false;
    }
    const ssize_t got = read(fd, out, size);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      return false;
    }
    out += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

}  // namespace

std::optional<std::string> receive_frame(int fd, int timeout_ms) {
  std::uint32_t size = 0;
  if (!read_exactly(fd, reinterpret_cast<char*>(&size), sizeof(size), timeout_ms) || size > kMaxFrameBytes) {
    return std::nullopt;
  }
  std::string bytes(size, '\0');
  return read_exactly(fd, bytes.data(), size, timeout_ms) ? std::optional(std::move(bytes)) : std::nullopt;
}

}  // namespace plumb::math
