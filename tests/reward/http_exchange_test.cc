#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "reward/rules/custom/line_exchange.h"
#include "reward/service/http_server.h"

namespace plumb {
namespace {

// A scoring service on a free port, and an exchange with it.
class Service {
 public:
  explicit Service(HttpHandler handler, std::string token = "") {
    HttpOptions options;
    options.port = 0;
    options.token = token;
    auto started = HttpServer::start(options, std::move(handler));
    EXPECT_TRUE(started.ok());
    server_ = std::move(started).value();
    exchange_ = http_exchange({"127.0.0.1", std::to_string(server_->port()), "/score"}, std::move(token));
  }
  Result<std::vector<std::string>> ask(const std::vector<std::string>& lines, double timeout_s = 20) {
    std::vector<std::string> answers;
    PLUMB_TRY(exchange_->exchange(lines, timeout_s, [&](std::string_view line) {
      answers.emplace_back(line);
      return Result<void>();
    }));
    return answers;
  }

 private:
  std::unique_ptr<HttpServer> server_;
  std::unique_ptr<LineExchange> exchange_;
};

void send_back(const HttpRequest& request, HttpReply& reply) {
  reply.send(200, request.body, "application/jsonl");
}

TEST(HttpExchangeTest, LinesThereAndBackOverOneConnection) {
  Service service(send_back);
  for (int i = 0; i < 3; ++i) {
    const auto answers = service.ask({"one", "two"});
    ASSERT_TRUE(answers.ok()) << answers.error().message;
    EXPECT_EQ(*answers, (std::vector<std::string>{"one", "two"}));
  }
}

TEST(HttpExchangeTest, ATokenGoesAlong) {
  Service service(send_back, "secret");
  EXPECT_TRUE(service.ask({"one"}).ok());
}

TEST(HttpExchangeTest, FaultsAreNamedAndTheNextExchangeIsFresh) {
  std::atomic<int> calls = 0;
  Service service([&](const HttpRequest& request, HttpReply& reply) {
    switch (++calls) {
      case 1:
        return void(reply.send(503, "too busy", "text/plain"));
      case 2:
        return void(reply.send(200, "\n one\n\n", "application/jsonl"));
      case 3:
        std::this_thread::sleep_for(std::chrono::seconds(1));
        [[fallthrough]];
      default:
        return send_back(request, reply);
    }
  });
  auto answers = service.ask({"one", "two"});
  ASSERT_FALSE(answers.ok());
  EXPECT_NE(answers.error().message.find("/score: expected status 200, found 503: too busy"), std::string::npos);
  answers = service.ask({"one", "two"});
  ASSERT_FALSE(answers.ok());
  EXPECT_NE(answers.error().message.find("expected 2 lines of answers, found 1"), std::string::npos);
  answers = service.ask({"one", "two"}, 0.3);
  ASSERT_FALSE(answers.ok());
  EXPECT_NE(answers.error().message.find("no answer in time"), std::string::npos) << answers.error().message;
  EXPECT_TRUE(service.ask({"one", "two"}).ok());
}

TEST(HttpExchangeTest, NobodyThereIsSaid) {
  const auto exchange = http_exchange({"127.0.0.1", "1", "/"}, "");
  const std::string line = "x";
  const auto done = exchange->exchange({&line, 1}, 5, [](std::string_view) { return Result<void>(); });
  ASSERT_FALSE(done.ok());
  EXPECT_NE(done.error().message.find("http://127.0.0.1:1/: cannot connect: Connection refused"), std::string::npos);
}

TEST(HttpExchangeTest, Addresses) {
  const auto parts = [](const char* url) {
    const auto endpoint = parse_endpoint(url);
    return endpoint ? endpoint->host + "|" + endpoint->port + "|" + endpoint->target : "refused";
  };
  EXPECT_EQ(parts("http://localhost:9000/score?x=1"), "localhost|9000|/score?x=1");
  EXPECT_EQ(parts("http://judge.example"), "judge.example|80|/");
  EXPECT_EQ(parts("http://[::1]:8080/a"), "::1|8080|/a");
  for (const char* url : {"https://x/", "x:9000", "http://", "http://:80/", "http://x:/", "http://x:99999/",
                          "http://x:8a/", "http://user@x/", "http://x/a b", "http://[::1/"}) {
    EXPECT_EQ(parts(url), "refused") << url;
  }
}

}  // namespace
}  // namespace plumb
