#include <algorithm>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <optional>
#include <utility>

#include "reward/rules/custom/line_exchange.h"

namespace plumb {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;

class HttpExchange final : public LineExchange {
 public:
  HttpExchange(Endpoint endpoint, std::string token) : endpoint_(std::move(endpoint)), token_(std::move(token)) {}

  Result<void> exchange(std::span<const std::string> lines, double timeout_s, const LineSink& sink) override {
    std::string body;
    for (const std::string& line : lines) {
      body += line;
      body += '\n';
    }
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::duration_cast<std::chrono::nanoseconds>(
                                                                 std::chrono::duration<double>(timeout_s));
    const bool kept = stream_.has_value();
    auto answer = post(body, deadline);
    if (!answer && kept && closed_while_idle_) {
      answer = post(body, deadline);  // the server may close a connection that it kept; that is no failure
    }
    Result<void> taken = answer ? take(*answer, lines.size(), sink) : answer.error();
    if (!taken) {
      stream_.reset();
      return taken.error().with_context("http://" + endpoint_.host + ":" + endpoint_.port + endpoint_.target);
    }
    return {};
  }

 private:
  using Request = http::request<http::string_body>;
  using ResponseParser = http::response_parser<http::string_body>;

  // Runs what `start` began until it is done; all of it is under the stream's deadline.
  template <typename Start>
  error_code run(Start start) {
    error_code result = asio::error::would_block;
    start([&](error_code error, auto&&...) { result = error; });
    context_.restart();
    context_.run();
    return result;
  }

  Result<void> connect(std::chrono::steady_clock::time_point deadline) {
    error_code error;
    asio::ip::tcp::resolver resolver(context_);
    const auto addresses = resolver.resolve(endpoint_.host, endpoint_.port, error);
    if (error) {
      return Error{"the host is not known: " + error.message()};
    }
    stream_.emplace(context_);
    stream_->expires_at(deadline);
    error = run([&](auto done) { stream_->async_connect(addresses, done); });
    if (error) {
      stream_.reset();
      return Error{"cannot connect: " + error.message()};
    }
    return {};
  }

  Result<std::string> post(const std::string& body, std::chrono::steady_clock::time_point deadline) {
    closed_while_idle_ = false;
    if (!stream_) {
      PLUMB_TRY(connect(deadline));
    }
    Request request(http::verb::post, endpoint_.target, 11);
    request.set(http::field::host, endpoint_.host + ":" + endpoint_.port);
    request.set(http::field::content_type, "application/jsonl");
    if (!token_.empty()) {
      request.set(http::field::authorization, "Bearer " + token_);
    }
    request.body() = body;
    request.prepare_payload();
    stream_->expires_at(deadline);
    error_code error = run([&](auto done) { http::async_write(*stream_, request, done); });
    beast::flat_buffer buffer;
    ResponseParser parser;
    parser.body_limit(kMaxAnswerBytes);
    if (!error) {
      error = run([&](auto done) { http::async_read(*stream_, buffer, parser, done); });
    }
    if (error) {
      closed_while_idle_ = !parser.got_some() && error != beast::error::timeout;
      stream_.reset();
      return Error{error == beast::error::timeout ? "no answer in time" : error.message()};
    }
    if (!parser.get().keep_alive()) {
      stream_.reset();
    }
    if (parser.get().result() != http::status::ok) {
      return Error{"expected status 200, found " + std::to_string(parser.get().result_int()) + ": " +
                   parser.get().body().substr(0, 200)};
    }
    return std::move(parser.get().body());
  }

  static Result<void> take(std::string_view text, std::size_t expected, const LineSink& sink) {
    std::size_t count = 0;
    while (!text.empty()) {
      const std::string_view line = text.substr(0, text.find('\n'));
      text.remove_prefix(std::min(line.size() + 1, text.size()));
      if (line.find_first_not_of(" \t\r") != std::string_view::npos) {
        PLUMB_TRY(sink(line));
        ++count;
      }
    }
    return count == expected
               ? Result<void>()
               : Error{"expected " + std::to_string(expected) + " lines of answers, found " + std::to_string(count)};
  }

  Endpoint endpoint_;
  std::string token_;
  asio::io_context context_;
  std::optional<beast::tcp_stream> stream_;
  bool closed_while_idle_ = false;
};

}  // namespace

Result<Endpoint> parse_endpoint(std::string_view url) {
  const Error refused{"expected http://host[:port]/path, found '" + std::string(url) +
                      "' (for https, put a proxy of your own before it)"};
  constexpr std::string_view kScheme = "http://";
  if (!url.starts_with(kScheme)) {
    return refused;
  }
  url.remove_prefix(kScheme.size());
  const std::size_t slash = std::min(url.find('/'), url.size());
  Endpoint endpoint;
  endpoint.target = slash == url.size() ? "/" : std::string(url.substr(slash));
  std::string_view authority = url.substr(0, slash);
  const std::size_t bracket = authority.starts_with('[') ? authority.find(']') : 0;
  if (bracket == std::string_view::npos) {
    return refused;
  }
  const std::size_t colon = authority.find(':', bracket);
  endpoint.port = colon == std::string_view::npos ? "80" : std::string(authority.substr(colon + 1));
  authority = authority.substr(0, colon);
  endpoint.host = bracket > 0 ? authority.substr(1, bracket - 1) : authority;
  const bool number = !endpoint.port.empty() && endpoint.port.size() <= 5 &&
                      endpoint.port.find_first_not_of("0123456789") == std::string::npos &&
                      std::stoi(endpoint.port) <= 65535;
  const auto plain = [](unsigned char c) { return c > ' ' && c < 0x7f; };
  if (endpoint.host.empty() || !number || !std::all_of(url.begin(), url.end(), plain) ||
      endpoint.host.find('@') != std::string::npos) {
    return refused;
  }
  return endpoint;
}

std::unique_ptr<LineExchange> http_exchange(Endpoint endpoint, std::string token) {
  return std::make_unique<HttpExchange>(std::move(endpoint), std::move(token));
}

}  // namespace plumb
