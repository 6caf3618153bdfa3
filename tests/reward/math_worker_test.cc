#include "reward/rules/math_worker.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <string>
#include <thread>

#include "core/sanitizers.h"

namespace plumb {
namespace {

MathWorkerOptions worker_options() {
  MathWorkerOptions options;
  options.path = PLUMB_BINARY_DIR "/plumb-maths";
  return options;
}

std::vector<MathItem> items(int count) {
  std::vector<MathItem> all;
  for (int i = 0; i < count; ++i) {
    all.push_back({std::to_string(i % 7), "so \\boxed{" + std::to_string(i % 5) + "}", true});
  }
  return all;
}

TEST(MathWorker, AnswersInOrderAcrossBatches) {
  MathWorker worker(worker_options());
  const auto asked = items(1500);
  const auto results = worker.verify(asked, {});
  ASSERT_EQ(results.size(), asked.size());
  for (int i = 0; i < 1500; ++i) {
    const MathResult& result = results[static_cast<std::size_t>(i)];
    EXPECT_EQ(result.verdict, i % 7 == i % 5 ? MathVerdict::kEqual : MathVerdict::kNotEqual)
        << i << ": " << result.reason;
    EXPECT_EQ(result.extracted, std::to_string(i % 5));
  }
  EXPECT_TRUE(worker.verify({}, {}).empty());
}

TEST(MathWorker, OptionsAndBytesReachIt) {
  MathWorker worker(worker_options());
  MathOptions options;
  options.last_number = true;
  options.decimal_digits = 3;
  const std::vector<MathItem> asked = {
      {"\\pi", "it is 3.14", true}, {"5", std::string("5\xFF\0", 3), false}, {"5", "5", false}};
  const auto results = worker.verify(asked, options);
  EXPECT_EQ(results[0].verdict, MathVerdict::kEqual) << results[0].reason;
  EXPECT_EQ(results[1].verdict, MathVerdict::kUndecided);
  EXPECT_EQ(results[1].extracted, std::string("5\xFF\0", 3));
  EXPECT_EQ(results[2].verdict, MathVerdict::kEqual);
}

TEST(MathWorker, AKilledWorkerIsReplacedAndNothingIsLost) {
  MathWorker worker(worker_options());
  const auto asked = items(200);
  const auto before = worker.verify(asked, {});
  for (int round = 0; round < 3; ++round) {
    const int pid = worker.pid();
    ASSERT_GT(pid, 0);
    ASSERT_EQ(kill(pid, SIGKILL), 0);
    const auto after = worker.verify(asked, {});
    ASSERT_EQ(after.size(), before.size());
    for (std::size_t i = 0; i < after.size(); ++i) {
      EXPECT_TRUE(after[i].fault.empty() && after[i].verdict == before[i].verdict) << after[i].fault;
    }
    EXPECT_NE(worker.pid(), pid);
  }
}

// A worker that dies at every item: each is a fault with a name, none is a verdict.
TEST(MathWorker, ItsEndIsAFaultNotAVerdict) {
  MathWorkerOptions options;
  options.path = "/bin/false";
  MathWorker worker(options);
  const auto results = worker.verify(items(2), {});
  ASSERT_EQ(results.size(), 2U);
  for (const MathResult& result : results) {
    EXPECT_EQ(result.fault, "maths worker: it exited with status 1");
    EXPECT_FALSE(accepted(result, {}));
  }
  MathWorkerOptions missing;
  missing.path = "/nonexistent/plumb-maths";
  MathWorker none(missing);
  EXPECT_NE(none.verify(items(1), {})[0].fault.find("/nonexistent/plumb-maths"), std::string::npos);
}

#ifndef PLUMB_RESERVES_ADDRESSES
TEST(MathWorker, RunningOutOfMemoryTouchesOneItemOnly) {
  MathWorkerOptions options = worker_options();
  options.memory_bytes = std::int64_t{64} << 20;
  MathWorker worker(options);
  std::vector<MathItem> asked = items(3);
  asked[1].text = std::string(std::size_t{80} << 20, ' ');
  const auto results = worker.verify(asked, {});
  ASSERT_EQ(results.size(), 3U);
  EXPECT_TRUE(results[0].fault.empty()) << results[0].fault;
  EXPECT_NE(results[1].fault.find("signal"), std::string::npos) << results[1].fault;
  EXPECT_TRUE(results[2].fault.empty()) << results[2].fault;
}
#endif

TEST(MathWorker, ThreadsShareIt) {
  MathWorker worker(worker_options());
  const auto asked = items(300);
  const auto expected = worker.verify(asked, {});
  std::vector<std::thread> threads;
  std::vector<std::vector<MathResult>> results(3);
  for (auto& result : results) {
    threads.emplace_back([&] { result = worker.verify(asked, {}); });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  for (const auto& result : results) {
    ASSERT_EQ(result.size(), expected.size());
    for (std::size_t i = 0; i < result.size(); ++i) {
      EXPECT_EQ(result[i].verdict, expected[i].verdict);
    }
  }
}

}  // namespace
}  // namespace plumb
