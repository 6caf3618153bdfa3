#pragma once
// ZeroMQ's calls where signals come in between. Inside actor/processes.

#include <cerrno>
#include <chrono>
#include <zmq.hpp>

namespace plumb::internal {

/// `call`'s result; one that a signal interrupted is made again.
template <typename Call>
auto uninterrupted(const Call& call) {
  for (;;) {
    try {
      return call();
    } catch (const zmq::error_t& error) {
      if (error.num() != EINTR) {
        throw;
      }
    }
  }
}

/// Whether there is something to receive, `wait` at most or until a signal.
inline bool readable(zmq::socket_t& socket, std::chrono::milliseconds wait) {
  zmq::pollitem_t item{socket.handle(), 0, ZMQ_POLLIN, 0};
  try {
    return zmq::poll(&item, 1, wait) > 0;
  } catch (const zmq::error_t& error) {
    if (error.num() != EINTR) {
      throw;
    }
    return false;
  }
}

}  // namespace plumb::internal
