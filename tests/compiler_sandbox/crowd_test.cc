// Many programs at once, some of which sleep or waste time: the others must not notice.

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

#include "compiler_sandbox/launcher/idle_watch.h"
#include "compiler_sandbox/launcher/starved_watch.h"
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

// Threads that wait for a processor as told, looked at every 10 ms.
struct Waiting {
  ThreadWaits waits;
  int looks = 0;
  StarvedWatch watch{[this] {
    ++looks;
    return waits;
  }};
  Clock::time_point now{};

  Waiting() { watch.start(now); }
  void pass(int milliseconds, const std::map<int, double>& shares) {
    for (int i = 0; i < milliseconds; i += 10) {
      now += std::chrono::milliseconds(10);
      for (const auto& [thread, share] : shares) {
        waits[thread] += 0.01 * share;
      }
      watch.look(now);
    }
  }
};

TEST(StarvedWatch, RemembersWhatEndedThreadsWaited) {
  Waiting waiting;
  for (int thread = 1; thread <= 10; ++thread) {
    waiting.pass(200, {{thread, 0.75}});
    waiting.waits.erase(thread);
  }
  EXPECT_NEAR(waiting.watch.starved(waiting.now).longest_s, 1.5, 0.01);
  EXPECT_NEAR(waiting.watch.so_far().all_s, 1.5, 0.01);
}

// The kernel counts a wait when the thread has got its processor, which may be several looks later.
TEST(StarvedWatch, HearsOfLongWaitsAtTheirEnd) {
  Waiting waiting;
  for (int round = 0; round < 10; ++round) {
    waiting.pass(100, {});
    waiting.waits[1] += 0.09;
  }
  EXPECT_NEAR(waiting.watch.starved(waiting.now).longest_s, 0.9, 1e-6);
}

TEST(StarvedWatch, ForgivesNoLongerThanTimePassed) {
  Waiting waiting;
  waiting.waits = {{1, 100}};  // before the step
  waiting.pass(1000, {{1, 0.5}, {2, 0.5}, {3, 0.25}});
  EXPECT_LE(waiting.watch.starved(waiting.now).longest_s, 0.55);
  EXPECT_NEAR(waiting.watch.so_far().all_s, 1.25, 0.05);
  waiting.watch.start(waiting.now);
  EXPECT_EQ(waiting.watch.so_far().longest_s, 0);
}

TEST(StarvedWatch, LooksAtNoStepThatEndsSoon) {
  Waiting waiting;
  waiting.pass(40, {{1, 0.5}});
  EXPECT_EQ(waiting.looks, 0);
  waiting.pass(10, {{1, 0.5}});
  EXPECT_EQ(waiting.looks, 1);
  EXPECT_NEAR(waiting.watch.so_far().longest_s, 0.025, 1e-6);
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

// Others' work on all processors, while this lives: processes with sessions of their own, which some kernels schedule
// as groups.
class BusyMachine {
 public:
  BusyMachine() {
    for (unsigned i = 0; i < 3 * std::max(1U, std::thread::hardware_concurrency()); ++i) {
      const pid_t pid = fork();
      if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        setsid();
        for (std::atomic<int> work = 0;; ++work) {
        }
      }
      pids_.push_back(pid);
    }
  }
  ~BusyMachine() {
    for (const pid_t pid : pids_) {
      kill(pid, SIGKILL);
      waitpid(pid, nullptr, 0);
    }
  }
  BusyMachine(const BusyMachine&) = delete;
  BusyMachine& operator=(const BusyMachine&) = delete;

 private:
  std::vector<pid_t> pids_;
};

// The kernel forgets with a thread what it waited for a processor. It did not sleep all the same.
TEST_F(Crowd, WhatEndedThreadsWaitedIsForgiven) {
  const BusyMachine busy;
  Submission submission = python(
      "    import threading\n    def work():\n        end = time.thread_time() + 0.25\n"
      "        while time.thread_time() < end:\n            pass\n"
      "    thread = threading.Thread(target=work)\n    thread.start()\n    thread.join()\n",
      0);
  submission.limits.wall_s = 1.1;
  submission.limits.cpu_s = 10;
  const Evidence evidence = judge_->judge(submission);
  EXPECT_EQ(evidence.verdict, Verdict::kAC) << test::describe(evidence);
}

}  // namespace
}  // namespace plumb
