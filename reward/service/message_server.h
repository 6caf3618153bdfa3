#pragma once
// The reward service over ZeroMQ: Protocol Buffers (messages.proto) on a ROUTER, for trainers that ask much and often.
//
// Theory of operation. One thread owns the socket. It reads requests, answers heartbeats at once and hands the rest to
// the handler, which works elsewhere and says its answer from any thread; answers come back to the socket's thread
// through a queue with an eventfd. The thread remembers ids: of what is being worked on, and of the last answers, so
// that a request that is sent many times is worked on once. It never waits for a peer: what a client that doesn't read
// cannot take is dropped, and may be asked for with `again`.

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "core/result.h"

namespace plumb {

struct MessageOptions {
  std::string endpoint = "tcp://127.0.0.1:*";  // tcp:// with a port or *, or ipc://; beyond loopback it needs a token
  std::string token;
  std::size_t max_message_bytes = std::size_t{16} << 20;  // a client that sends more is disconnected
  int high_water = 4096;                                  // messages kept for a client that does not read
  std::size_t remembered = 65536;                         // answers
  double heartbeat_s = 5;  // of the transport: peers that are silent for three are forgotten
};

/// What is asked, and how to answer it.
struct MessageCall {
  enum class Kind { kScore, kVerifyMath, kJudge };
  Kind kind = Kind::kScore;
  std::string json;
};

struct MessageAnswer {
  enum class Status { kOk, kInvalid, kBusy };
  Status status = Status::kOk;
  std::string text;  // JSON, or what is wrong
};

/// Called on the socket's thread, so it hands on what takes time. Calls `answer` once, at once or later, from any
/// thread; after the server has ended that does nothing.
using MessageHandler = std::function<void(MessageCall call, std::function<void(MessageAnswer)> answer)>;

class MessageServer {
 public:
  /// Errors: an endpoint that cannot be bound, or that other machines can reach while there is no token.
  static Result<std::unique_ptr<MessageServer>> start(const MessageOptions& options, MessageHandler handler);
  virtual ~MessageServer() = default;

  /// With the port that was found.
  [[nodiscard]] virtual std::string endpoint() const = 0;
};

}  // namespace plumb
