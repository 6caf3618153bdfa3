#pragma once
// A small HTTP/1.1 server that a slow, huge or malformed client cannot harm: every read and write has a deadline, every
// size a limit, and connections beyond the allowed number are told so and closed.

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/result.h"

namespace plumb {

struct HttpOptions {
  std::string address = "127.0.0.1";  // IPv4; other than loopback needs a token
  int port = 0;                       // 0 = any free one
  std::string token;                  // "Authorization: Bearer <token>" is asked for on every target but /healthz
  std::size_t max_header_bytes = std::size_t{16} << 10;
  std::size_t max_body_bytes = std::size_t{16} << 20;
  int max_connections = 128;
  double read_s = 10;   // for a whole request from its first byte on, and until the first byte of the first
  double write_s = 10;  // for each piece of a reply
  double idle_s = 60;   // between two requests of a connection
};

struct HttpRequest {
  std::string method;
  std::string target;
  std::string body;
  std::string host;  // the Host header, empty without one
};

/// How a handler answers. Either send() once, or begin() and then write() for each piece as it comes; pieces may be
/// written from any one thread at a time. False: the client is gone.
class HttpReply {
 public:
  virtual ~HttpReply() = default;
  virtual bool send(int status, std::string_view body, std::string_view content_type = "application/json") = 0;
  virtual bool begin(int status, std::string_view content_type) = 0;
  virtual bool write(std::string_view piece) = 0;
  /// Whether the client has hung up. One that closed its sending side alone counts as gone, as with other servers.
  [[nodiscard]] virtual bool client_is_gone() const = 0;
};

using HttpHandler = std::function<void(const HttpRequest&, HttpReply&)>;

class HttpServer {
 public:
  /// Listens and serves; `handler` is called from many threads at once. Errors: an address that cannot be bound, or
  /// that is not loopback while there is no token.
  static Result<std::unique_ptr<HttpServer>> start(const HttpOptions& options, HttpHandler handler);
  virtual ~HttpServer() = default;  // stops accepting, ends all connections and waits for their handlers

  [[nodiscard]] virtual int port() const = 0;
};

}  // namespace plumb
