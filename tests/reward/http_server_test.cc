#include "reward/service/http_server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <mutex>

#include "reward/service/score_cache.h"
#include "reward/service/work_queue.h"

namespace plumb {
namespace {

int connect_to(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  return fd;
}

// Sends `bytes` and reads until the server closes, or `until` stands in what it said.
std::string talk(int port, const std::string& bytes, const std::string& until = "") {
  const int fd = connect_to(port);
  EXPECT_EQ(send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  std::string all;
  char buffer[4096];
  for (ssize_t got = recv(fd, buffer, sizeof(buffer), 0); got > 0; got = recv(fd, buffer, sizeof(buffer), 0)) {
    all.append(buffer, static_cast<std::size_t>(got));
    if (!until.empty() && all.find(until) != std::string::npos) {
      break;
    }
  }
  close(fd);
  return all;
}

std::string post(const std::string& body, const std::string& more = "") {
  return "POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + more +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

void echo(const HttpRequest& request, HttpReply& reply) {
  if (request.target == "/stream") {
    reply.begin(200, "text/plain");
    reply.write("one");
    reply.write("two");
  } else {
    reply.send(200, request.method + " " + request.target + " " + request.body, "text/plain");
  }
}

HttpOptions small_limits() {
  HttpOptions options;
  options.max_header_bytes = 2048;
  options.max_body_bytes = 4096;
  options.read_s = 0.3;
  options.idle_s = 0.3;
  return options;
}

TEST(HttpServer, AnswersKeepsAliveAndStreams) {
  auto server = HttpServer::start(small_limits(), echo);
  ASSERT_TRUE(server.ok()) << server.error().message;
  const int port = (*server)->port();
  EXPECT_NE(talk(port, post("body")).find("\r\n\r\nPOST /echo body"), std::string::npos);
  const std::string two = "GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  const std::string both = talk(port, two);
  EXPECT_NE(both.find("GET /a "), std::string::npos);
  EXPECT_NE(both.find("GET /b "), std::string::npos);
  const std::string stream = talk(port, "GET /stream HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_NE(stream.find("\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"), std::string::npos) << stream;
}

TEST(HttpServer, RefusesWhatIsTooLargeMalformedOrLate) {
  auto server = HttpServer::start(small_limits(), echo);
  ASSERT_TRUE(server.ok());
  const int port = (*server)->port();
  EXPECT_EQ(talk(port, post(std::string(5000, 'x'))).substr(0, 12), "HTTP/1.1 413");
  EXPECT_EQ(talk(port, post("", "X: " + std::string(3000, 'x') + "\r\n")).substr(0, 12), "HTTP/1.1 431");
  EXPECT_EQ(talk(port, "nonsense\r\n\r\n").substr(0, 12), "HTTP/1.1 400");
  EXPECT_EQ(talk(port, std::string("\x16\x03\x01\x00\xff\r\n\r\n", 9)).substr(0, 12), "HTTP/1.1 400");
  // A slow one is cut off while an honest one is served.
  const int slow = connect_to(port);
  EXPECT_EQ(send(slow, "POST / HT", 9, MSG_NOSIGNAL), 9);
  EXPECT_NE(talk(port, post("honest")).find("honest"), std::string::npos);
  char buffer[256];
  const ssize_t got = recv(slow, buffer, sizeof(buffer), 0);
  ASSERT_GT(got, 12);
  EXPECT_EQ(std::string(buffer, 12), "HTTP/1.1 408");
  close(slow);
}

TEST(HttpServer, ATokenIsAskedForEverywhereButHealth) {
  HttpOptions options = small_limits();
  options.token = "secret";
  auto server = HttpServer::start(options, echo);
  ASSERT_TRUE(server.ok());
  const int port = (*server)->port();
  EXPECT_EQ(talk(port, post("x")).substr(0, 12), "HTTP/1.1 401");
  EXPECT_EQ(talk(port, post("x", "Authorization: Bearer secreT\r\n")).substr(0, 12), "HTTP/1.1 401");
  EXPECT_EQ(talk(port, post("x", "Authorization: Bearer secret\r\n")).substr(0, 12), "HTTP/1.1 200");
  EXPECT_EQ(talk(port, "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").substr(0, 12), "HTTP/1.1 200");
}

TEST(HttpServer, MoreConnectionsThanAllowedAreTold) {
  HttpOptions options = small_limits();
  options.max_connections = 1;
  options.idle_s = 5;
  auto server = HttpServer::start(options, echo);
  ASSERT_TRUE(server.ok());
  const int first = connect_to((*server)->port());
  ASSERT_EQ(send(first, "G", 1, MSG_NOSIGNAL), 1);
  EXPECT_EQ(talk((*server)->port(), "", "503").substr(0, 12), "HTTP/1.1 503");
  close(first);
}

TEST(HttpServer, OtherThanLoopbackNeedsAToken) {
  HttpOptions options;
  options.address = "0.0.0.0";
  EXPECT_FALSE(HttpServer::start(options, echo).ok());
  options.address = "localhost";
  EXPECT_FALSE(HttpServer::start(options, echo).ok());
}

TEST(ScoreCache, KeysHoldSettingsAndQuestionApart) {
  EXPECT_NE(ScoreCache::key("a", "bc"), ScoreCache::key("ab", "c"));
  ScoreCache cache(800);  // two short answers
  cache.store("1", "one");
  cache.store("2", "two");
  cache.store("3", "three");
  EXPECT_EQ(cache.find("1"), nullptr);
  EXPECT_EQ(*cache.find("3"), "three");
}

TEST(WorkQueue, RefusesWhatDoesNotFitAndLosesNothing) {
  std::atomic<int> done = 0;
  {
    std::mutex gate;
    std::unique_lock closed(gate);
    WorkQueue queue(1, 3);
    const auto task = [&] {
      const std::lock_guard wait(gate);
      ++done;
    };
    EXPECT_TRUE(queue.push({task, task}));
    EXPECT_FALSE(queue.push({task, task}));
    EXPECT_TRUE(queue.push({task}));
    EXPECT_FALSE(queue.push({task}));
    EXPECT_EQ(queue.size(), 3U);
    closed.unlock();
  }
  EXPECT_EQ(done, 3);
}

}  // namespace
}  // namespace plumb
