#pragma once
// Messages between the judge, the launcher and a sandbox's init: a length, then CBOR, with file descriptors beside.
// All three ends are plumb's own code; a candidate never holds one of these sockets.

#include <nlohmann/json.hpp>
#include <vector>

#include "compiler_sandbox/unique_fd.h"

namespace plumb {

/// One message. Keys are fixed words; source texts are binary values, so that any bytes travel.
struct WireMessage {
  nlohmann::json body;
  std::vector<UniqueFd> fds;  // at most kMaxWireFds
};

/// A step's wall limit does not count the time for which it was ready to run and had no processor, but at this multiple
/// of the limit it ends in any case.
constexpr double kWallPatience = 8;

constexpr int kMaxWireFds = 8;
constexpr std::size_t kMaxWireBytes = std::size_t{64} << 20U;

/// Sends `body` and copies of `fds` over a stream socket. False when the peer is gone. Never raises SIGPIPE.
bool send_wire(int socket, const nlohmann::json& body, const std::vector<int>& fds = {});

/// Receives one message, blocking; received descriptors are close-on-exec. False at end of file or a malformed message.
bool receive_wire(int socket, WireMessage& message);

/// A binary value holding `bytes`, and the bytes of one.
nlohmann::json wire_bytes(std::string_view bytes);
std::string bytes_of(const nlohmann::json& value);

}  // namespace plumb
