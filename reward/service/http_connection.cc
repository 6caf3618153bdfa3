#include "reward/service/http_connection.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace plumb {
namespace {

namespace http = boost::beast::http;
using Clock = std::chrono::steady_clock;

constexpr int kPollMs = 100;  // how soon a stop is noticed

Clock::time_point after(double seconds) {
  return Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

// Waits until `fd` is ready for `events`; false when the time is over or all shall stop.
bool wait_for(int fd, short events, Clock::time_point until, const std::atomic<bool>* stop) {
  while (Clock::now() < until && (stop == nullptr || !*stop)) {
    pollfd waiting{fd, events, 0};
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count() + 1;
    if (poll(&waiting, 1, static_cast<int>(std::min<long long>(kPollMs, left))) > 0) {
      return true;
    }
  }
  return false;
}

bool write_all(int fd, std::string_view bytes, double write_s) {
  const auto until = after(write_s);
  while (!bytes.empty()) {
    const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if ((errno != EAGAIN && errno != EINTR) || !wait_for(fd, POLLOUT, until, nullptr)) {
      return false;
    }
  }
  return true;
}

std::string head(int status, std::string_view content_type, const std::string& length_line, bool keep) {
  return "HTTP/1.1 " + std::to_string(status) + " " +
         std::string(http::obsolete_reason(http::int_to_status(static_cast<unsigned>(status)))) +
         "\r\nContent-Type: " + std::string(content_type) + "\r\n" + length_line +
         "\r\nConnection: " + (keep ? "keep-alive" : "close") + "\r\n\r\n";
}

std::string error_body(std::string_view sentence) {
  return nlohmann::json{{"error", sentence}}.dump() + "\n";
}

class Reply final : public HttpReply {
 public:
  Reply(int fd, const HttpOptions& options, bool keep) : fd_(fd), options_(options), keep_(keep) {}

  bool send(int status, std::string_view body, std::string_view content_type) override {
    begun_ = true;
    const std::string length = "Content-Length: " + std::to_string(body.size());
    return write_raw(head(status, content_type, length, keep_).append(body));
  }
  bool begin(int status, std::string_view content_type) override {
    begun_ = true;
    chunked_ = true;
    return write_raw(head(status, content_type, "Transfer-Encoding: chunked", keep_));
  }
  bool write(std::string_view piece) override {
    char size[20];
    std::snprintf(size, sizeof(size), "%zx\r\n", piece.size());
    return piece.empty() || write_raw(std::string(size).append(piece).append("\r\n"));
  }

  [[nodiscard]] bool client_is_gone() const override {
    pollfd peer{fd_, POLLRDHUP, 0};
    return !alive_ || (poll(&peer, 1, 0) > 0 && (peer.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0);
  }

  // Ends what the handler began. True: the connection can take another request.
  bool finish() {
    if (!begun_) {
      send(500, error_body("the handler gave no reply"), "application/json");
    } else if (chunked_) {
      write_raw("0\r\n\r\n");
    }
    return alive_ && keep_;
  }

 private:
  bool write_raw(const std::string& bytes) {
    alive_ = alive_ && write_all(fd_, bytes, options_.write_s);
    return alive_;
  }

  int fd_;
  const HttpOptions& options_;
  bool keep_;
  bool begun_ = false;
  bool chunked_ = false;
  bool alive_ = true;
};

// Equal, in a time that does not depend on where they differ.
bool same_secret(std::string_view a, std::string_view b) {
  unsigned char difference = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    difference = static_cast<unsigned char>(difference | (a[i] ^ b[i]));
  }
  return difference == 0;
}

class Connection {
 public:
  Connection(int fd, const HttpOptions& options, const HttpHandler& handler, const std::atomic<bool>& stop)
      : fd_(fd), options_(options), handler_(handler), stop_(stop) {}

  // One request; false when the connection is over.
  bool serve_one() {
    if (left_.empty() && !wait_for(fd_, POLLIN, after(first_ ? options_.read_s : options_.idle_s), &stop_)) {
      return false;
    }
    first_ = false;
    http::request_parser<http::string_body> parser;
    parser.header_limit(static_cast<std::uint32_t>(options_.max_header_bytes));
    parser.body_limit(options_.max_body_bytes);
    parser.eager(true);
    if (const int status = read_request(parser); status != 200) {
      if (status > 0) {
        refuse_connection(fd_, options_, status, refusal_);
        linger();
      }
      return false;
    }
    auto message = parser.release();
    const HttpRequest request{std::string(message.method_string()), std::string(message.target()),
                              std::move(message.body()), std::string(message[http::field::host])};
    Reply reply(fd_, options_, message.keep_alive());
    const auto given = message[http::field::authorization];
    const bool open = options_.token.empty() || request.target == "/healthz";
    if (!open && !same_secret({given.data(), given.size()}, "Bearer " + options_.token)) {
      reply.send(401, error_body("expected the header Authorization: Bearer <token>"), "application/json");
    } else {
      handler_(request, reply);
    }
    return reply.finish();
  }

 private:
  // 200 where the whole request is there; 0 where the client is gone; else the status to refuse with.
  int read_request(http::request_parser<http::string_body>& parser) {
    const auto until = after(options_.read_s);
    bool asked_to_go_on = false;
    while (!parser.is_done()) {
      boost::beast::error_code error;
      const std::size_t used = left_.empty() ? 0 : parser.put(boost::asio::buffer(left_), error);
      left_.erase(0, used);
      if (error && error != http::error::need_more) {
        return refuse(error);
      }
      if (parser.is_done()) {
        break;
      }
      if (parser.is_header_done() && !asked_to_go_on && parser.get()[http::field::expect] == "100-continue") {
        asked_to_go_on = true;
        write_all(fd_, "HTTP/1.1 100 Continue\r\n\r\n", options_.write_s);
      }
      if (!wait_for(fd_, POLLIN, until, &stop_)) {
        refusal_ = "the request did not arrive in time";
        return 408;
      }
      char bytes[16384];
      const ssize_t got = recv(fd_, bytes, sizeof(bytes), MSG_DONTWAIT);
      if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
        return 0;
      }
      left_.append(bytes, got > 0 ? static_cast<std::size_t>(got) : 0);
    }
    return 200;
  }

  // Reads on until the client has heard us: closing over bytes that were not read resets the connection, and the reply
  // is lost on its way (RFC 9112, 9.6).
  void linger() {
    shutdown(fd_, SHUT_WR);
    char bytes[16384];
    for (const auto until = after(options_.read_s); wait_for(fd_, POLLIN, until, &stop_);) {
      const ssize_t got = recv(fd_, bytes, sizeof(bytes), MSG_DONTWAIT);
      if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
        return;
      }
    }
  }

  int refuse(const boost::beast::error_code& error) {
    refusal_ = error.message();
    if (error == http::error::body_limit) {
      refusal_ = "the request's body is larger than " + std::to_string(options_.max_body_bytes >> 20) +
                 " MiB: send its items in several requests";
      return 413;
    }
    return error == http::error::header_limit ? 431 : 400;
  }

  int fd_;
  const HttpOptions& options_;
  const HttpHandler& handler_;
  const std::atomic<bool>& stop_;
  std::string left_;  // bytes read but not used: of the next request
  std::string refusal_;
  bool first_ = true;
};

}  // namespace

void serve_connection(int fd, const HttpOptions& options, const HttpHandler& handler, const std::atomic<bool>& stop) {
  Connection connection(fd, options, handler, stop);
  while (!stop && connection.serve_one()) {
  }
}

void refuse_connection(int fd, const HttpOptions& options, int status, std::string_view sentence) {
  const std::string body = error_body(sentence);
  const std::string length = "Content-Length: " + std::to_string(body.size());
  write_all(fd, head(status, "application/json", length, false) + body, options.write_s);
}

}  // namespace plumb
