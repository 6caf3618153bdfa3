#include "compiler_sandbox/wire.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>

namespace plumb {

namespace {

using Ancillary = std::array<char, CMSG_SPACE(sizeof(int) * kMaxWireFds)>;

bool send_all(int socket, const std::uint8_t* data, std::size_t size) {
  while (size > 0) {
    const ssize_t sent = send(socket, data, size, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) {
      continue;
    }
    if (sent <= 0) {
      return false;
    }
    data += sent;
    size -= static_cast<std::size_t>(sent);
  }
  return true;
}

bool receive_all(int socket, std::uint8_t* data, std::size_t size) {
  while (size > 0) {
    const ssize_t got = recv(socket, data, size, 0);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      return false;
    }
    data += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

// The length goes alone, with the descriptors attached to it.
bool send_header(int socket, std::uint32_t size, const std::vector<int>& fds) {
  iovec part{&size, sizeof(size)};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  alignas(cmsghdr) Ancillary ancillary{};
  if (!fds.empty()) {
    header.msg_control = ancillary.data();
    header.msg_controllen = CMSG_SPACE(sizeof(int) * fds.size());
    cmsghdr* control = CMSG_FIRSTHDR(&header);
    control->cmsg_level = SOL_SOCKET;
    control->cmsg_type = SCM_RIGHTS;
    control->cmsg_len = CMSG_LEN(sizeof(int) * fds.size());
    std::memcpy(CMSG_DATA(control), fds.data(), sizeof(int) * fds.size());
  }
  ssize_t sent = 0;
  do {
    sent = sendmsg(socket, &header, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent == static_cast<ssize_t>(sizeof(size));
}

bool receive_header(int socket, std::uint32_t& size, std::vector<UniqueFd>& fds) {
  iovec part{&size, sizeof(size)};
  alignas(cmsghdr) Ancillary ancillary{};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = ancillary.data();
  header.msg_controllen = ancillary.size();
  ssize_t got = 0;
  do {
    got = recvmsg(socket, &header, MSG_CMSG_CLOEXEC | MSG_WAITALL);
  } while (got < 0 && errno == EINTR);
  for (cmsghdr* control = CMSG_FIRSTHDR(&header); control != nullptr; control = CMSG_NXTHDR(&header, control)) {
    if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS) {
      continue;
    }
    const std::size_t count = (control->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(control) + i * sizeof(int), sizeof(int));
      fds.emplace_back(fd);
    }
  }
  return got == static_cast<ssize_t>(sizeof(size)) && size <= kMaxWireBytes;
}

}  // namespace

bool send_wire(int socket, const nlohmann::json& body, const std::vector<int>& fds) {
  const std::vector<std::uint8_t> bytes = nlohmann::json::to_cbor(body);
  return fds.size() <= kMaxWireFds && bytes.size() <= kMaxWireBytes &&
         send_header(socket, static_cast<std::uint32_t>(bytes.size()), fds) &&
         send_all(socket, bytes.data(), bytes.size());
}

bool receive_wire(int socket, WireMessage& message) {
  std::uint32_t size = 0;
  message.fds.clear();
  if (!receive_header(socket, size, message.fds)) {
    return false;
  }
  std::vector<std::uint8_t> bytes(size);
  if (!receive_all(socket, bytes.data(), size)) {
    return false;
  }
  // The parser throws for some sizes even where it is told not to.
  try {
    message.body = nlohmann::json::from_cbor(bytes, true, false);
  } catch (const nlohmann::json::exception&) {
    return false;
  }
  return message.body.is_object();
}

nlohmann::json wire_bytes(std::string_view bytes) {
  return nlohmann::json::binary(std::vector<std::uint8_t>(bytes.begin(), bytes.end()));
}

std::string bytes_of(const nlohmann::json& value) {
  const auto& bytes = value.get_binary();
  return {bytes.begin(), bytes.end()};
}

}  // namespace plumb
