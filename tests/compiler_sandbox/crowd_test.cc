// Many programs at once, some of which sleep or waste time: the others must not notice.

#include <gtest/gtest.h>

#include <chrono>

#include "compiler_sandbox/launcher/idle_watch.h"
#include "tests/compiler_sandbox/judge_support.h"

namespace plumb {
namespace {

using Clock = IdleWatch::Clock;

// Looks at the account every 10 ms. What was said, with the time in ms.
struct Account {
  double starved_s = 0;
  IdleWatch watch{[this] { return starved_s; }};
  Clock::time_point now{};
  double cpu_s = 5;
  std::vector<std::pair<int, bool>> said;
  int ms = 0;

  Account() { watch.start(cpu_s, now); }
  void pass(int milliseconds, double cpu_share, double starved_share = 0) {
    for (int end = ms + milliseconds; ms < end;) {
      ms += 10;
      now += std::chrono::milliseconds(10);
      cpu_s += 0.01 * cpu_share;
      starved_s += 0.01 * starved_share;
      if (const auto off_cpu = watch.look(cpu_s, now)) {
        said.emplace_back(ms, *off_cpu);
      }
    }
  }
};

using Said = std::vector<std::pair<int, bool>>;

TEST(IdleWatch, SaysWhenAStepGoesOffTheCpuAndWhenItComesBack) {
  Account account;
  account.pass(1000, 1);
  account.pass(500, 0.01);
  ASSERT_EQ(account.said.size(), 1U);
  EXPECT_TRUE(account.said[0].second);
  EXPECT_GE(account.said[0].first, 1200);
  EXPECT_LE(account.said[0].first, 1250);
  account.pass(1000, 0.5);
  ASSERT_EQ(account.said.size(), 2U);
  EXPECT_FALSE(account.said[1].second);
  EXPECT_LE(account.said[1].first, 1530);
  EXPECT_TRUE(account.watch.works());
}

TEST(IdleWatch, WhoeverWaitsForAProcessorIsNoSleeper) {
  Account account;
  account.pass(2000, 0, 0.9);
  EXPECT_EQ(account.said, Said());
  EXPECT_FALSE(account.watch.works());
  account.pass(2000, 0.1);
  EXPECT_EQ(account.said, Said());
  account.pass(300, 0);
  EXPECT_EQ(account.said.size(), 1U);
}

class Crowd : public testing::Test {
 protected:
  void SetUp() override {
    std::string why;
    if (test::shared_judge(why) == nullptr) {
      GTEST_SKIP() << "no isolation on this machine: " << why;
    }
    JudgeOptions options = test::judge_options();
    options.slots = 1;
    judge_ = start_judge(options).value();
  }

  static Submission python(const std::string& body, int number) {
    Submission submission =
        test::add_submission(Language::kPython, "import time\ndef add(a, b):\n" + body + "    return a + b\n# " +
                                                    std::to_string(number) + "\n");
    submission.limits.wall_s = 3;
    return submission;
  }

  std::unique_ptr<Judge> judge_;
};

// One after the other, the sleepers alone would take 36 seconds.
TEST_F(Crowd, SleepersHoldNobodyUp) {
  std::vector<Submission> submissions;
  for (int i = 0; i < 24; ++i) {
    submissions.push_back(python(i % 2 == 0 ? "    time.sleep(60)\n" : "", i));
  }
  const auto start = std::chrono::steady_clock::now();
  const std::vector<Evidence> evidence = judge_->judge_all(submissions);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(15));
  for (std::size_t i = 0; i < evidence.size(); ++i) {
    EXPECT_EQ(evidence[i].verdict, i % 2 == 0 ? Verdict::kTLE : Verdict::kAC) << i << test::describe(evidence[i]);
  }
}

// Asleep for longer than it takes to be noticed, then right: sleeping is no fault, and neither is waking up.
TEST_F(Crowd, SleepersWakeUpAndAreJudgedAsEver) {
  std::vector<Submission> submissions;
  for (int i = 0; i < 8; ++i) {
    submissions.push_back(
        python("    time.sleep(0.3)\n    end = time.process_time() + 0.05\n    while time.process_time() < end:\n      "
               "  pass\n",
               i));
  }
  for (const Evidence& evidence : judge_->judge_all(submissions)) {
    EXPECT_EQ(evidence.verdict, Verdict::kAC) << test::describe(evidence);
  }
}

// Many that wake together, each with children that compute, must not keep the honest from their processors.
TEST_F(Crowd, ThoseWhoWakeUpTogetherMakeWay) {
  std::vector<Submission> submissions;
  for (int i = 0; i < 24; ++i) {
    submissions.push_back(python(i % 3 == 0 ? "    import threading\n"
                                              "    def work():\n"
                                              "        end = time.thread_time() + 0.2\n"
                                              "        while time.thread_time() < end:\n            pass\n"
                                              "    thread = threading.Thread(target=work)\n    thread.start()\n"
                                              "    thread.join()\n"
                                            : "    import os\n    time.sleep(0.6)\n    for _ in range(10):\n"
                                              "        if os.fork() == 0:\n            os.setsid()\n            break\n"
                                              "    while True:\n        pass\n",
                                 i));
    submissions.back().limits.cpu_s = 1;
  }
  const std::vector<Evidence> evidence = judge_->judge_all(submissions);
  for (std::size_t i = 0; i < evidence.size(); ++i) {
    EXPECT_EQ(evidence[i].verdict, i % 3 == 0 ? Verdict::kAC : Verdict::kTLE) << i << test::describe(evidence[i]);
  }
}

}  // namespace
}  // namespace plumb
