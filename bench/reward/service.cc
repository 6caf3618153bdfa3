// reward_service PLUMB [--requests N | --seconds S] [--connections N] [--busy N] [--kill-every S] [--memory MIB]:
// starts `plumb reward-server` and asks it mixed questions over HTTP: maths, programs that it remembers, new Python and
// new C++ ones. Meanwhile N Python jobs saturate the cores (--busy) and one of its workers is killed now and then
// (--kill-every). Every answer is compared with what it must be, id included. Prints one JSON object; exit status 1 if
// anything was lost, doubled or wrong.

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <thread>
#include <vector>

extern char** environ;

namespace plumb {
namespace {

namespace http = boost::beast::http;
using boost::asio::ip::tcp;
using Clock = std::chrono::steady_clock;
using Json = nlohmann::json;

struct Options {
  std::string plumb;
  int requests = 5000;
  double seconds = 0;  // instead of a number of requests
  int connections = 64;
  int busy = 2;
  double kill_every = 0;
  int memory_mib = 32;  // of evidence, and of scores: small ones fill soon, and then nothing may grow
};

// --- processes ---

class Child {
 public:
  Child(std::vector<std::string> words, int out) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    if (out >= 0) {
      posix_spawn_file_actions_adddup2(&actions, out, 1);
    }
    std::vector<char*> argv;
    for (std::string& word : words) {
      argv.push_back(word.data());
    }
    argv.push_back(nullptr);
    if (posix_spawnp(&pid_, argv[0], &actions, nullptr, argv.data(), environ) != 0) {
      std::perror(argv[0]);
      std::exit(1);
    }
    posix_spawn_file_actions_destroy(&actions);
  }
  ~Child() {
    kill(pid_, SIGTERM);
    waitpid(pid_, nullptr, 0);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
};

struct ProcessInfo {
  pid_t parent = 0;
  std::string name;
};

std::map<pid_t, ProcessInfo> processes() {
  std::map<pid_t, ProcessInfo> all;
  DIR* const folder = opendir("/proc");
  while (const dirent* entry = readdir(folder)) {
    const pid_t pid = std::atoi(entry->d_name);
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    std::string text;
    if (pid > 0 && std::getline(file, text)) {
      const auto open = text.find('(');
      const auto close = text.rfind(')');
      all[pid] = {std::atoi(text.c_str() + close + 4), text.substr(open + 1, close - open - 1)};
    }
  }
  closedir(folder);
  return all;
}

// The server's workers: launchers of the sandbox and maths workers, at any depth.
std::vector<pid_t> workers_of(pid_t server) {
  const auto all = processes();
  std::vector<pid_t> workers;
  for (const auto& [pid, info] : all) {
    pid_t above = info.parent;
    for (int depth = 0; depth < 4 && above != server && all.contains(above); ++depth) {
      above = all.at(above).parent;
    }
    if (above == server && (info.name == "plumb-sandbox" || info.name == "plumb-maths")) {
      workers.push_back(pid);
    }
  }
  return workers;
}

double resident_mib(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/statm");
  double pages = 0;
  file >> pages >> pages;
  return pages * 4096 / (1 << 20);
}

// --- questions ---

enum Kind { kMaths, kRemembered, kPython, kCpp, kKinds };
constexpr int kWarm = 300;  // after so many questions the remembered ones have all been asked once
constexpr std::array<const char*, kKinds> kKindNames = {"maths", "remembered", "python", "cpp"};

struct Question {
  Kind kind = kMaths;
  Json item;
  double expected = 0;
};

Json code_row(int offset) {
  return {{"id", "load/f"},
          {"description", "returns n plus a constant."},
          {"function", {{"name", "f"}, {"parameters", {{{"name", "n"}, {"type", "int"}}}}, {"returns", "int"}}},
          {"tests", {{{"args", {3}}, {"result", 3 + offset}}, {{"args", {0}}, {"result", offset}}}}};
}

Question code(Kind kind, bool cpp, int offset, bool right) {
  const std::string sum = "n + " + std::to_string(right ? offset : offset + 1);
  const std::string text =
      cpp ? "```cpp\nint f(int n) { return " + sum + "; }\n```" : "```python\ndef f(n):\n    return " + sum + "\n```";
  return {
      kind, {{"row", code_row(offset)}, {"language", cpp ? "cpp" : "python"}, {"completion", text}}, right ? 1.0 : 0.0};
}

// Of a hundred questions 50 are maths, 30 remembered, 15 new Python and 5 new C++.
Question question(int number) {
  const bool right = number % 3 != 0;
  const int place = number * 37 % 100;
  if (place < 50) {
    const std::string answer = std::to_string(number / 2) + (number % 2 == 0 ? "" : ".5");
    return {kMaths,
            {{"row", {{"question", "Half of it?"}, {"answer", std::to_string(number) + "/2"}}},
             {"completion", "So \\boxed{" + (right ? answer : answer + "1") + "}."}},
            right ? 1.0 : 0.0};
  }
  return place < 80   ? code(kRemembered, false, number % 20, right)
         : place < 95 ? code(kPython, false, 1000 + number, right)
                      : code(kCpp, true, 1000 + number, right);
}

// --- clients ---

struct Tally {
  std::mutex mutex;
  std::array<std::vector<double>, kKinds> latencies_ms;
  std::set<int> answered;
  int doubled = 0;
  int wrong = 0;
  int unscored = 0;
  std::string first_wrong;

  void add(int number, const Question& asked, const std::string& body, double ms) {
    const Json answer = Json::parse(body, nullptr, false);
    const bool fits = answer.is_object() && answer.value("id", -1) == number && answer.contains("total");
    const bool scored = fits && answer["total"].is_number();
    const std::lock_guard lock(mutex);
    latencies_ms[asked.kind].push_back(ms);
    doubled += answered.insert(number).second ? 0 : 1;
    unscored += fits && !scored ? 1 : 0;
    if (!scored || answer["total"] != asked.expected) {
      ++wrong;
      first_wrong = first_wrong.empty() ? asked.item.dump() + " -> " + body : first_wrong;
    }
  }
};

// One connection, kept. Asks until `next` says there is no more.
void client(unsigned short port, std::atomic<int>& next, const std::function<bool(int)>& goes_on, Tally& tally) {
  boost::asio::io_context context;
  tcp::socket socket(context);
  socket.connect({boost::asio::ip::make_address("127.0.0.1"), port});
  socket.set_option(tcp::no_delay(true));
  boost::beast::flat_buffer buffer;
  for (int number = next++; goes_on(number); number = next++) {
    Question asked = question(number);
    asked.item["id"] = number;
    http::request<http::string_body> request(http::verb::post, "/v1/score", 11);
    request.set(http::field::host, "127.0.0.1");
    request.body() = asked.item.dump();
    request.prepare_payload();
    const auto start = Clock::now();
    http::write(socket, request);
    http::response<http::string_body> response;
    http::read(socket, buffer, response);
    tally.add(number, asked, response.body(), std::chrono::duration<double, std::milli>(Clock::now() - start).count());
  }
}

unsigned short start_port(int read_end) {
  std::string text;
  char c = 0;
  while (read(read_end, &c, 1) == 1 && c != '\n') {
    text += c;
  }
  const auto colon = text.rfind(':');
  if (colon == std::string::npos) {
    std::fprintf(stderr, "reward_service: the server did not start: %s\n", text.c_str());
    std::exit(1);
  }
  return static_cast<unsigned short>(std::atoi(text.c_str() + colon + 1));
}

Json percentiles(std::vector<double> values) {
  if (values.empty()) {
    return nullptr;
  }
  std::sort(values.begin(), values.end());
  const auto at = [&](std::size_t percent) {
    return values[std::min(values.size() * percent / 100, values.size() - 1)];
  };
  return {{"count", values.size()}, {"p50_ms", at(50)}, {"p99_ms", at(99)}, {"max_ms", values.back()}};
}

int run(const Options& options) {
  int out[2];
  if (pipe2(out, O_CLOEXEC) != 0) {
    return 1;
  }
  const std::string mib = std::to_string(options.memory_mib);
  const Child server({options.plumb, "reward-server", "--port", "0", "--remembered-mib", mib, "--set", "judge.slots=2",
                      "--set", "judge.evidence_mib=" + mib},
                     out[1]);
  const unsigned short port = start_port(out[0]);
  Tally warm;
  std::atomic<int> number = 0;
  client(
      port, number, [](int n) { return n < kWarm; }, warm);  // the questions that are remembered, among others
  std::vector<std::unique_ptr<Child>> busy;
  for (int i = 0; i < options.busy; ++i) {
    busy.push_back(std::make_unique<Child>(std::vector<std::string>{"python3", "-c", "while True: pass"}, -1));
  }
  Tally tally;
  number = kWarm;
  const auto start = Clock::now();
  const auto seconds = [&] { return std::chrono::duration<double>(Clock::now() - start).count(); };
  const auto goes_on = [&](int n) {
    return options.seconds > 0 ? seconds() < options.seconds : n < kWarm + options.requests;
  };
  std::atomic<bool> done = false;
  int killed = 0;
  std::vector<double> memory;
  std::thread watcher([&] {
    for (double next_kill = options.kill_every, next_look = 1; !done;
         std::this_thread::sleep_for(std::chrono::milliseconds(20))) {
      if (seconds() >= next_look) {
        memory.push_back(resident_mib(server.pid()));
        next_look += 1;
      }
      if (options.kill_every > 0 && seconds() >= next_kill) {
        const auto workers = workers_of(server.pid());
        if (!workers.empty()) {
          kill(workers[static_cast<std::size_t>(killed * 7) % workers.size()], SIGKILL);
          ++killed;
        }
        next_kill += options.kill_every;
      }
    }
  });
  std::vector<std::thread> clients;
  for (int i = 0; i < options.connections; ++i) {
    clients.emplace_back([&] { client(port, number, goes_on, tally); });
  }
  for (std::thread& each : clients) {
    each.join();
  }
  const double wall = seconds();
  done = true;
  watcher.join();
  const std::size_t asked = options.seconds > 0 ? tally.answered.size() : static_cast<std::size_t>(options.requests);
  Json result = {{"answered", tally.answered.size()},
                 {"lost", asked - tally.answered.size()},
                 {"doubled", tally.doubled},
                 {"wrong", tally.wrong + warm.wrong},
                 {"unscored", tally.unscored},
                 {"killed", killed},
                 {"per_second", static_cast<double>(tally.answered.size()) / wall}};
  for (int kind = 0; kind < kKinds; ++kind) {
    result[kKindNames[static_cast<std::size_t>(kind)]] =
        percentiles(tally.latencies_ms[static_cast<std::size_t>(kind)]);
  }
  for (std::size_t tenth = 1; tenth <= 10 && memory.size() >= 10; ++tenth) {
    result["resident_mib"].push_back(memory[tenth * memory.size() / 10 - 1]);
  }
  std::printf("%s\n", result.dump().c_str());
  if (!tally.first_wrong.empty()) {
    std::fprintf(stderr, "reward_service: first wrong answer: %s\n", tally.first_wrong.c_str());
  }
  return result["lost"] == 0 && result["doubled"] == 0 && result["wrong"] == 0 ? 0 : 1;
}

int usage() {
  std::fprintf(stderr,
               "usage: reward_service PLUMB [--requests N | --seconds S] [--connections N] [--busy N] [--kill-every S] "
               "[--memory MIB]\n");
  return 2;
}

int parse_and_run(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (!word.starts_with("--")) {
      options.plumb = word;
      continue;
    }
    if (i + 1 >= argc) {
      return usage();
    }
    const double value = std::atof(argv[++i]);
    if (word == "--requests") {
      options.requests = static_cast<int>(value);
    } else if (word == "--seconds") {
      options.seconds = value;
    } else if (word == "--connections") {
      options.connections = static_cast<int>(value);
    } else if (word == "--busy") {
      options.busy = static_cast<int>(value);
    } else if (word == "--kill-every") {
      options.kill_every = value;
    } else if (word == "--memory") {
      options.memory_mib = static_cast<int>(value);
    } else {
      return usage();
    }
  }
  return options.plumb.empty() ? usage() : run(options);
}

}  // namespace
}  // namespace plumb

int main(int argc, char** argv) {
  return plumb::parse_and_run(argc, argv);
}
