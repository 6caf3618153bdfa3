// sandbox_speed [--cpp-compiler clang|gcc] [--cpp-optimization N] [--seconds S]: what judging costs, isolation on, as
// one JSON object. Each load is checked first (the right program passes, a wrong one does not), then timed on all
// slots.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <thread>

#include "compiler_sandbox/judge.h"
#include "core/check.h"

namespace plumb {
namespace {

using Json = nlohmann::json;

// Different in what it does, not in its text alone.
Submission function_cpp(int i) {
  const std::string n = std::to_string(i);
  Submission submission;
  submission.language = Language::kCpp;
  submission.source =
      "int solve(const std::vector<int>& a, int k) {\n"
      "  int best = " +
      n +
      ";\n"
      "  for (std::size_t i = 0; i < a.size(); ++i) {\n"
      "    int s = 0;\n"
      "    for (std::size_t j = i; j < a.size() && j < i + static_cast<std::size_t>(k); ++j) {\n"
      "      s += a[j];\n"
      "      best = std::max(best, s + " +
      n +
      ");\n"
      "    }\n  }\n  return best;\n}\n";
  submission.function = {"solve", {{"a", "list[int]"}, {"k", "int"}}, "int"};
  submission.args = {Json::parse("[[1,2,3],2]"), Json::parse("[[-1,5,-2,4],3]"), Json::parse("[[],1]")};
  submission.expected = {5 + i, 7 + i, i};
  return submission;
}

Submission function_python(int i) {
  const std::string n = std::to_string(i);
  Submission submission = function_cpp(i);
  submission.language = Language::kPython;
  submission.source = "def solve(a, k):\n    best = " + n +
                      "\n    for i in range(len(a)):\n"
                      "        for j in range(i, min(len(a), i + k)):\n"
                      "            best = max(best, sum(a[i:j + 1]) + " +
                      n + ")\n    return best\n";
  return submission;
}

// 40 lines with the whole library.
Submission program_cpp(int i) {
  Submission submission;
  submission.program_language = "cpp";
  submission.source = R"(#include <bits/stdc++.h>
using namespace std;
struct Edge { int to; long long w; };
static vector<vector<Edge>> g;
vector<long long> dijkstra(int s) {
  vector<long long> d(g.size(), LLONG_MAX);
  priority_queue<pair<long long, int>, vector<pair<long long, int>>, greater<>> q;
  d[s] = 0;
  q.push({0, s});
  while (!q.empty()) {
    auto [x, u] = q.top();
    q.pop();
    if (x != d[u]) continue;
    for (const auto& e : g[u]) {
      if (d[e.to] > x + e.w) {
        d[e.to] = x + e.w;
        q.push({d[e.to], e.to});
      }
    }
  }
  return d;
}
int main() {
  ios::sync_with_stdio(false);
  int n, m;
  cin >> n >> m;
  g.resize(n);
  for (int i = 0; i < m; ++i) {
    int a, b;
    long long w;
    cin >> a >> b >> w;
    g[a].push_back({b, w});
    g[b].push_back({a, w});
  }
  auto d = dijkstra(0);
  map<long long, int> count;
  for (auto x : d) count[x]++;
  sort(d.begin(), d.end());
  string out;
  for (auto x : d) out += to_string(x + OFFSET) + " ";
  cout << out << "\n" << count.size() << endl;
}
)";
  submission.source.replace(submission.source.find("OFFSET"), 6, std::to_string(i));
  std::string output;
  for (const int d : {0, 2, 3}) {
    output += std::to_string(d + i) + " ";
  }
  submission.program_tests = {{"3 3\n0 1 2\n1 2 1\n0 2 9\n", output + "\n3\n"}};
  return submission;
}

// Built once (the judge keeps nothing but evidence, so the program is an interpreter that is there already).
Submission trivial(int i) {
  Submission submission;
  submission.program_language = "trivial";
  submission.source = std::to_string(i);
  submission.program_tests = {{"", ""}};
  return submission;
}

constexpr int kWarmUp = 8;

struct Load {
  const char* name;
  std::function<Submission(int)> make;
};

// So many in each slot that whatever a slot loads for later ones is there. The median time of the first, cold ones.
double warm_up(Judge& judge, const Load& load, int slots) {
  std::vector<double> times;
  for (int i = 2; i < kWarmUp * slots; i += slots) {
    std::vector<Submission> together;
    for (int slot = 0; slot < slots; ++slot) {
      together.push_back(load.make(i + slot));
    }
    const auto start = std::chrono::steady_clock::now();
    for (const Evidence& evidence : judge.judge_all(together)) {
      PLUMB_CHECK(evidence.verdict == Verdict::kAC, std::string(load.name) + ": " + evidence.fault);
    }
    times.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

Json measure(Judge& judge, const Load& load, double seconds, int slots) {
  const Evidence right = judge.judge(load.make(1));
  PLUMB_CHECK(right.verdict == Verdict::kAC, std::string(load.name) + ": " + right.fault +
                                                 (right.diagnostics.empty() ? "" : right.diagnostics[0].message));
  using Clock = std::chrono::steady_clock;
  const auto since = [](Clock::time_point from) { return std::chrono::duration<double>(Clock::now() - from).count(); };
  const Clock::time_point cold = Clock::now();
  const double first_s = warm_up(judge, load, slots);
  const double warm_up_s = since(cold);
  std::vector<std::vector<double>> times(static_cast<std::size_t>(slots));
  std::vector<double> cpu(static_cast<std::size_t>(slots));
  std::vector<std::thread> threads;
  const Clock::time_point start = Clock::now();
  for (int slot = 0; slot < slots; ++slot) {
    threads.emplace_back([&, slot] {
      for (int i = kWarmUp * slots + slot; since(start) < seconds; i += slots) {
        const Clock::time_point before = Clock::now();
        const Evidence evidence = judge.judge(load.make(i));
        PLUMB_CHECK(evidence.verdict == Verdict::kAC, std::string(load.name) + ": " + evidence.fault);
        times[static_cast<std::size_t>(slot)].push_back(since(before));
        cpu[static_cast<std::size_t>(slot)] += evidence.cpu_s;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  const double elapsed = since(start);
  std::vector<double> all;
  double cpu_s = 0;
  for (std::size_t slot = 0; slot < times.size(); ++slot) {
    all.insert(all.end(), times[slot].begin(), times[slot].end());
    cpu_s += cpu[slot];
  }
  std::sort(all.begin(), all.end());
  const auto count = static_cast<double>(all.size());
  return {{"load", load.name},
          {"per_second", count / elapsed},
          {"median_ms", 1e3 * all[all.size() / 2]},
          {"p99_ms", 1e3 * all[all.size() * 99 / 100]},
          {"cpu_ms_in_sandbox", 1e3 * cpu_s / count},
          {"cold_ms", 1e3 * first_s},
          {"warm_up_s", warm_up_s},
          {"count", all.size()}};
}

Json measure_repeated(Judge& judge, double seconds) {
  const Submission once = function_cpp(0);
  static_cast<void>(judge.judge(once));
  using Clock = std::chrono::steady_clock;
  const Clock::time_point start = Clock::now();
  std::size_t count = 0;
  double elapsed = 0;
  for (; elapsed < seconds; elapsed = std::chrono::duration<double>(Clock::now() - start).count()) {
    for (int i = 0; i < 100; ++i, ++count) {
      PLUMB_CHECK(judge.judge(once).cached, "a repeated submission was judged again");
    }
  }
  return {{"load", "repeated"}, {"per_second", static_cast<double>(count) / elapsed}, {"count", count}};
}

int run(const JudgeOptions& options, double seconds, const std::string& only) {
  const auto judge = start_judge(options);
  if (!judge) {
    std::fprintf(stderr, "%s\n", judge.error().message.c_str());
    return 2;
  }
  const int slots =
      options.slots > 0 ? options.slots : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  Json loads = Json::array();
  std::vector<Load> all{
      {"function_cpp", function_cpp}, {"program_cpp_40_lines", program_cpp}, {"function_python", function_python}};
  if ((*judge)->languages().contains("trivial")) {
    all.push_back({"trivial_native", trivial});
  }
  for (const Load& load : all) {
    if (only.empty() || only == load.name) {
      loads.push_back(measure(**judge, load, seconds, slots));
    }
  }
  if (only.empty() || only == "repeated") {
    loads.push_back(measure_repeated(**judge, std::min(seconds, 2.0)));
  }
  const Json result{{"bench", "sandbox"},
                    {"slots", slots},
                    {"cpp_compiler", options.cpp_compiler.empty() ? "default" : options.cpp_compiler},
                    {"cpp_optimization", options.cpp_optimization},
                    {"isolation", (*judge)->isolation().summary()},
                    {"loads", loads}};
  std::printf("%s\n", result.dump(2).c_str());
  return 0;
}

}  // namespace
}  // namespace plumb

int main(int argc, char** argv) {
  plumb::JudgeOptions options;
  double seconds = 10;
  std::string only;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string key = argv[i];
    if (key == "--cpp-compiler") {
      options.cpp_compiler = argv[i + 1];
    } else if (key == "--cpp-optimization") {
      options.cpp_optimization = std::atoi(argv[i + 1]);
    } else if (key == "--seconds") {
      seconds = std::atof(argv[i + 1]);
    } else if (key == "--slots") {
      options.slots = std::atoi(argv[i + 1]);
    } else if (key == "--only") {
      only = argv[i + 1];
    } else {
      std::fprintf(
          stderr,
          "usage: sandbox_speed [--cpp-compiler clang|gcc] [--cpp-optimization N] [--seconds S] [--only LOAD]\n");
      return 2;
    }
  }
  return plumb::run(options, seconds, only);
}
