// reward_messages ENDPOINT [--outstanding N] [--seconds S] [ITEMS.jsonl]: asks a running `plumb reward-server
// --messages` for scores. With a file: each line once, answers printed as {"id", "status", "json"} in the order of the
// lines. Without: one 2 KB program again and again, which the server remembers; prints scores a second and latencies as
// one JSON object.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>
#include <zmq.hpp>

#include "messages.pb.h"

namespace plumb {
namespace {

using Clock = std::chrono::steady_clock;
using Json = nlohmann::json;

class Client {
 public:
  explicit Client(const std::string& endpoint) : socket_(context_, zmq::socket_type::dealer) {
    socket_.set(zmq::sockopt::linger, 0);
    socket_.set(zmq::sockopt::rcvtimeo, 60000);
    socket_.connect(endpoint);
  }
  void ask(const std::string& id, const std::string& item) {
    messages::Request request;
    request.set_id(id);
    request.set_score(item);
    socket_.send(zmq::buffer(request.SerializeAsString()));
  }
  messages::Reply take() {
    zmq::message_t message;
    messages::Reply reply;
    if (!socket_.recv(message) || !reply.ParseFromArray(message.data(), static_cast<int>(message.size()))) {
      std::fprintf(stderr, "reward_messages: no answer within a minute\n");
      std::exit(1);
    }
    return reply;
  }

 private:
  zmq::context_t context_;
  zmq::socket_t socket_;
};

int ask_lines(Client& client, const std::string& path) {
  std::ifstream file(path);
  int count = 0;
  for (std::string line; std::getline(file, line);) {
    client.ask(std::to_string(count++), line);
  }
  std::map<int, messages::Reply> replies;
  for (int i = 0; i < count; ++i) {
    messages::Reply reply = client.take();
    const int place = std::atoi(reply.id().c_str());
    replies[place] = std::move(reply);
  }
  for (const auto& [place, reply] : replies) {
    const Json json = Json::parse(reply.json(), nullptr, false);
    std::printf("%s\n", Json{{"id", place},
                             {"status", messages::Reply::Status_Name(reply.status())},
                             {"error", reply.error()},
                             {"json", json.is_discarded() ? Json() : json}}
                            .dump()
                            .c_str());
  }
  return replies.size() == static_cast<std::size_t>(count) ? 0 : 1;
}

std::string two_kilobytes() {
  std::string source = "def f(n):\n";
  while (source.size() < 2000) {
    source += "    # " + std::to_string(source.size()) + " counts its lines\n";
  }
  source += "    return n + 1\n";
  const Json row = {
      {"id", "bench/f"},
      {"description", "returns n + 1."},
      {"split", "rl"},
      {"function", {{"name", "f"}, {"parameters", {{{"name", "n"}, {"type", "int"}}}}, {"returns", "int"}}},
      {"references", {{"python", "def f(n):\n    return n + 1\n"}}},
      {"tests", {{{"args", {3}}, {"result", 4}}, {{"args", {0}}, {"result", 1}}}}};
  return Json{{"row", row}, {"language", "python"}, {"completion", "```python\n" + source + "```"}}.dump();
}

int time_one(Client& client, int outstanding, double seconds) {
  const std::string item = two_kilobytes();
  client.ask("first", item);
  const messages::Reply first = client.take();
  if (first.status() != messages::Reply::OK || !Json::parse(first.json()).value("solved", false)) {
    std::fprintf(stderr, "reward_messages: the right program is not solved: %s\n", first.ShortDebugString().c_str());
    return 1;
  }
  std::vector<Clock::time_point> asked;
  std::vector<double> latencies_ms;
  const auto ask = [&] {
    asked.push_back(Clock::now());
    client.ask(std::to_string(asked.size() - 1), item);
  };
  const auto start = Clock::now();
  for (int i = 0; i < outstanding; ++i) {
    ask();
  }
  while (latencies_ms.size() < asked.size()) {
    const messages::Reply reply = client.take();
    if (reply.json() != first.json()) {
      std::fprintf(stderr, "reward_messages: another answer: %s\n", reply.ShortDebugString().c_str());
      return 1;
    }
    const auto place = static_cast<std::size_t>(std::atoll(reply.id().c_str()));
    latencies_ms.push_back(std::chrono::duration<double, std::milli>(Clock::now() - asked[place]).count());
    if (std::chrono::duration<double>(Clock::now() - start).count() < seconds) {
      ask();
    }
  }
  const double wall = std::chrono::duration<double>(Clock::now() - start).count();
  std::sort(latencies_ms.begin(), latencies_ms.end());
  const auto count = latencies_ms.size();
  std::printf("%s\n", Json{{"outstanding", outstanding},
                           {"scores", count},
                           {"per_second", static_cast<double>(count) / wall},
                           {"p50_ms", latencies_ms[count / 2]},
                           {"p99_ms", latencies_ms[count * 99 / 100]}}
                          .dump()
                          .c_str());
  return 0;
}

int run(int argc, char** argv) {
  int outstanding = 16;
  double seconds = 5;
  std::vector<std::string> words;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (i + 1 < argc && word == "--outstanding") {
      outstanding = std::atoi(argv[++i]);
    } else if (i + 1 < argc && word == "--seconds") {
      seconds = std::atof(argv[++i]);
    } else {
      words.push_back(word);
    }
  }
  if (words.empty() || words.size() > 2 || outstanding < 1) {
    std::fprintf(stderr, "usage: reward_messages ENDPOINT [--outstanding N] [--seconds S] [ITEMS.jsonl]\n");
    return 2;
  }
  Client client(words[0]);
  return words.size() == 2 ? ask_lines(client, words[1]) : time_one(client, outstanding, seconds);
}

}  // namespace
}  // namespace plumb

int main(int argc, char** argv) {
  return plumb::run(argc, argv);
}
