#include "reward/service/http_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <list>
#include <mutex>
#include <thread>
#include <utility>

#include "reward/service/http_connection.h"

namespace plumb {
namespace {

class Server final : public HttpServer {
 public:
  Server(int listener, int port, HttpOptions options, HttpHandler handler)
      : listener_(listener), port_(port), options_(std::move(options)), handler_(std::move(handler)) {
    acceptor_ = std::thread([this] { accept_all(); });
  }
  ~Server() override {
    stop_ = true;
    acceptor_.join();
    close(listener_);
    for (Client& client : clients_) {
      client.thread.join();
    }
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  [[nodiscard]] int port() const override { return port_; }

 private:
  struct Client {
    std::atomic<bool> done = false;
    std::thread thread;
  };

  void accept_all() {
    while (!stop_) {
      pollfd waiting{listener_, POLLIN, 0};
      if (poll(&waiting, 1, 100) <= 0) {
        continue;
      }
      const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) {
        continue;
      }
      const int yes = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
      forget_the_gone();
      if (clients_.size() >= static_cast<std::size_t>(options_.max_connections)) {
        refuse_connection(fd, options_, 503, "too many connections; try again later");
        close(fd);
        continue;
      }
      Client& client = clients_.emplace_back();
      client.thread = std::thread([this, fd, &client] {
        serve_connection(fd, options_, handler_, stop_);
        shutdown(fd, SHUT_RDWR);
        close(fd);
        client.done = true;
      });
    }
  }

  void forget_the_gone() {
    for (auto client = clients_.begin(); client != clients_.end();) {
      if (client->done) {
        client->thread.join();
        client = clients_.erase(client);
      } else {
        ++client;
      }
    }
  }

  int listener_;
  int port_;
  HttpOptions options_;
  HttpHandler handler_;
  std::atomic<bool> stop_ = false;
  std::list<Client> clients_;  // of the acceptor's thread
  std::thread acceptor_;
};

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::start(const HttpOptions& options, HttpHandler handler) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(options.port));
  if (inet_pton(AF_INET, options.address.c_str(), &address.sin_addr) != 1) {
    return Error{"address: expected an IPv4 address such as 127.0.0.1, found '" + options.address + "'"};
  }
  if ((ntohl(address.sin_addr.s_addr) >> 24) != 127 && options.token.empty()) {
    return Error{"address " + options.address + " can be reached from other machines: give a token, or use 127.0.0.1"};
  }
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int yes = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  socklen_t size = sizeof(address);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), size) != 0 || listen(fd, 256) != 0 ||
      getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    const std::string why = std::strerror(errno);
    close(fd);
    return Error{options.address + ":" + std::to_string(options.port) + ": cannot be listened on: " + why};
  }
  return std::unique_ptr<HttpServer>(
      std::make_unique<Server>(fd, ntohs(address.sin_port), options, std::move(handler)));
}

}  // namespace plumb
