#pragma once
// Lines of text to another party and its lines back, with a time-out: the transport of custom rewards.

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace plumb {

/// Takes one line that came back (without its end). Errors end the exchange.
using LineSink = std::function<Result<void>(std::string_view line)>;

/// One party. One thread at a time.
class LineExchange {
 public:
  virtual ~LineExchange() = default;

  /// Sends `lines` and hands over what comes back, until as many lines have come as were sent. Empty lines do not
  /// count. Errors: the party cannot be reached, ends, answers something else, or is silent for `timeout_s` seconds;
  /// what it had answered before has been handed over. After an error the next call starts afresh.
  virtual Result<void> exchange(std::span<const std::string> lines, double timeout_s, const LineSink& sink) = 0;
};

/// A program with a standard input and output of its own, started at the first exchange (in a process group of its
/// own, with this process's environment and standard error) and killed with its group after an error or when this
/// object goes.
std::unique_ptr<LineExchange> command_exchange(std::vector<std::string> command);

struct Endpoint {
  std::string host;
  std::string port;
  std::string target;
};

/// Of "http://host[:port][/path]"; an IPv6 host stands in brackets. Errors: anything else.
Result<Endpoint> parse_endpoint(std::string_view url);

/// A POST of the lines for each exchange (application/jsonl; kept alive between them), 200 with lines as the answer.
/// `token` goes along as a bearer token where it is not empty. For HTTP the time-out is one of the whole exchange.
std::unique_ptr<LineExchange> http_exchange(Endpoint endpoint, std::string token);

/// Bytes of one line, and of all answers of an exchange, at most.
inline constexpr std::size_t kMaxAnswerBytes = std::size_t{16} << 20;

}  // namespace plumb
