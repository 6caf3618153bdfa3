// Verifications a second on a file of labelled cases: numeric and symbolic rows in this process, numeric ones through
// the worker; and random byte strings. Every row is checked against its label before it is timed. usage: bench-maths
// CASES.jsonl [RANDOM_STRINGS]

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "reward/rules/math/verify.h"
#include "reward/rules/math_worker.h"

namespace plumb {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

struct Cases {
  std::vector<MathItem> numeric;
  std::vector<MathItem> symbolic;
  int wrong = 0;
};

Cases read_cases(const char* path) {
  const std::set<std::string> kNumeric = {"integer",   "fraction",    "mixed",  "decimal",
                                          "thousands", "scinotation", "percent"};
  Cases cases;
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    const auto row = nlohmann::json::parse(line);
    const auto category = row["category"].get<std::string>();
    if (!row.contains("pred") || category.starts_with("hostile") || !row["expected"].is_number()) {
      continue;
    }
    MathItem item{row["gold"], row["pred"], true};
    const bool equal = accepted(verify_math(item.truth, item.text), {});
    if (equal != (row["expected"] == 1)) {
      ++cases.wrong;
      continue;
    }
    (kNumeric.contains(category) ? cases.numeric : cases.symbolic).push_back(std::move(item));
  }
  return cases;
}

// The better of three passes of at least half a second each.
template <typename Pass>
double rate(std::size_t items, Pass pass) {
  double best = 0;
  for (int round = 0; round < 3; ++round) {
    const auto start = Clock::now();
    std::size_t done = 0;
    while (seconds_since(start) < 0.5) {
      pass();
      done += items;
    }
    best = std::max(best, static_cast<double>(done) / seconds_since(start));
  }
  return best;
}

void time_in_process(const char* name, const std::vector<MathItem>& items) {
  const double per_second = rate(items.size(), [&] {
    for (const MathItem& item : items) {
      verify_math(item.truth, item.text);
    }
  });
  double slowest = 0;
  for (const MathItem& item : items) {
    const auto start = Clock::now();
    verify_math(item.truth, item.text);
    slowest = std::max(slowest, 1e3 * seconds_since(start));
  }
  std::printf("%-28s %4zu rows %10.0f /s, slowest row %.2f ms\n", name, items.size(), per_second, slowest);
}

void time_worker(const std::vector<MathItem>& items) {
  MathWorker worker;
  std::vector<MathItem> batch;
  while (batch.size() < 2048) {
    batch.insert(batch.end(), items.begin(), items.end());
  }
  worker.verify(batch, {});
  const double per_second = rate(batch.size(), [&] { worker.verify(batch, {}); });
  std::printf("%-28s %4zu rows %10.0f /s\n", "numeric through the worker", items.size(), per_second);
}

void random_strings(long count) {
  std::uint64_t state = 1;
  const auto next = [&] {
    state = state * 6364136223846793005U + 1442695040888963407U;
    return state >> 33;
  };
  MathOptions options;
  options.max_work = 100'000;
  const auto start = Clock::now();
  long equal = 0;
  for (long i = 0; i < count; ++i) {
    std::string bytes;
    for (auto length = next() % 40; length > 0; --length) {
      bytes += static_cast<char>(i % 2 == 0 ? next() % 256 : 32 + next() % 95);
    }
    equal += accepted(compare_math_answers("123456789", bytes, options), options) ? 1 : 0;
    compare_math_answers(bytes, bytes, options);
  }
  std::printf("%ld random byte strings without a crash, %ld accepted, %.1f s\n", count, equal, seconds_since(start));
}

}  // namespace
}  // namespace plumb

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: bench-maths CASES.jsonl [RANDOM_STRINGS]\n");
    return 2;
  }
  const plumb::Cases cases = plumb::read_cases(argv[1]);
  std::printf("%d rows disagree with their label and are left out\n", cases.wrong);
  plumb::time_in_process("numeric", cases.numeric);
  plumb::time_in_process("symbolic", cases.symbolic);
  plumb::time_worker(cases.numeric);
  if (argc > 2) {
    plumb::random_strings(std::atol(argv[2]));
  }
  return 0;
}
