// The judge as a whole: it outlives its launchers, its results depend on nothing but the submissions, and it leaves
// nothing behind.

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <thread>

#include "judge_support.h"

namespace plumb {
namespace {

namespace fs = std::filesystem;

using test::add_submission;
using test::describe;

// Every kind of ending in turn, and every source different from all others.
Submission mixed(int i, Verdict& expected) {
  const std::string tail = " #" + std::to_string(i) + "\n";
  const std::string cpp_tail = " //" + std::to_string(i) + "\n";
  switch (i % 10) {
    case 1:
      expected = Verdict::kWA;
      return add_submission(Language::kPython, "def add(a, b):\n    return a - b" + tail);
    case 2:
      expected = Verdict::kRE;
      return add_submission(Language::kPython, "import os\nos._exit(0)" + tail);
    case 3:
      expected = Verdict::kCE;
      return add_submission(Language::kPython, "def add(a, b:\n" + tail);
    case 4:
      expected = Verdict::kMLE;
      return add_submission(Language::kPython, "def add(a, b):\n    return bytearray(1 << 40)" + tail);
    case 5:
      expected = i % 20 == 5 ? Verdict::kAC : Verdict::kCE;
      return add_submission(Language::kCpp,
                            (i % 20 == 5 ? "int add(int a, int b) { return a + b; }" : "int add(") + cpp_tail);
    case 6:
      expected = Verdict::kOLE;
      return add_submission(Language::kPython, "def add(a, b):\n    while 1: print('x' * 9999)" + tail);
    default:
      expected = Verdict::kAC;
      return add_submission(Language::kPython, "def add(a, b):\n    return a + b" + tail);
  }
}

TEST(Survival, LaunchersMayDieWhileTwoHundredAreJudged) {
  PLUMB_JUDGE_OR_SKIP(judge);
  std::vector<Submission> submissions;
  std::vector<Verdict> expected(200);
  for (int i = 0; i < 200; ++i) {
    submissions.push_back(mixed(i, expected[static_cast<std::size_t>(i)]));
  }
  std::atomic<bool> done = false;
  std::atomic<int> killed = 0;
  std::thread killer([&] {
    // Two: a submission that meets three is given up as a fault, and on a busy machine one can meet all there are.
    while (!done && killed < 2) {
      std::this_thread::sleep_for(std::chrono::milliseconds(400));
      const std::vector<int> pids = test::launchers();
      if (!done && !pids.empty()) {
        killed += kill(pids[static_cast<std::size_t>(killed) % pids.size()], SIGKILL) == 0 ? 1 : 0;
      }
    }
  });
  const std::vector<Evidence> evidence = judge->judge_all(submissions);
  done = true;
  killer.join();
  EXPECT_GT(killed, 0);
  for (std::size_t i = 0; i < evidence.size(); ++i) {
    EXPECT_EQ(evidence[i].verdict, expected[i]) << i << ": " << describe(evidence[i]);
  }
  EXPECT_EQ(test::processes_beside_launchers(), std::vector<std::string>());
}

// Among the moments is that in which init is a fresh copy of the launcher, with all that the launcher holds.
TEST(Survival, ALauncherKilledAtAnyMomentIsNoticedAtOnce) {
  PLUMB_JUDGE_OR_SKIP(judge);
  for (int i = 0; i < 120; ++i) {
    Verdict expected{};
    const Submission submission = mixed(i % 10 == 6 ? 7 : 20000 + i, expected);
    const std::vector<int> pids = test::launchers();
    const auto start = std::chrono::steady_clock::now();
    std::thread killer([&] {
      const auto moment = start + std::chrono::microseconds(25 * i);
      while (std::chrono::steady_clock::now() < moment) {
      }
      for (const int pid : pids) {
        kill(pid, SIGKILL);
      }
    });
    const Evidence evidence = judge->judge(submission);
    killer.join();
    EXPECT_EQ(evidence.verdict, expected) << i << ": " << describe(evidence);
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(15)) << i;
  }
  EXPECT_EQ(test::processes_beside_launchers(), std::vector<std::string>());
}

// One that is just being copied leaves a child that nobody knows of.
TEST(Survival, ATemplateKilledAtAnyMomentDelaysNobody) {
  PLUMB_JUDGE_OR_SKIP(judge);
  for (int i = 0; i < 150; ++i) {
    const Submission submission =
        add_submission(Language::kPython, "def add(a, b):\n    return a + b  # " + std::to_string(i) + "\n");
    const std::vector<int> pids = test::templates();
    const auto start = std::chrono::steady_clock::now();
    std::thread killer([&] {
      const auto moment = start + std::chrono::microseconds(200 + 10 * i);
      while (std::chrono::steady_clock::now() < moment) {
      }
      for (const int pid : pids) {
        kill(pid, SIGKILL);
      }
    });
    const Evidence evidence = judge->judge(submission);
    killer.join();
    EXPECT_EQ(evidence.verdict, Verdict::kAC) << i << ": " << describe(evidence);
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5)) << i;
  }
  EXPECT_EQ(test::processes_beside_launchers(), std::vector<std::string>());
}

TEST(Survival, EqualSubmissionsAreJudgedOnce) {
  PLUMB_JUDGE_OR_SKIP(judge);
  const Submission once = add_submission(Language::kPython, "def add(a, b):\n    print('hello')\n    return a * b\n");
  const Evidence first = judge->judge(once);
  const Evidence second = judge->judge(once);
  EXPECT_FALSE(first.cached);
  EXPECT_TRUE(second.cached);
  EXPECT_EQ(second.verdict, first.verdict);
  EXPECT_EQ(second.tests, first.tests);
  EXPECT_EQ(second.output, first.output);
  EXPECT_EQ(second.cpu_s, first.cpu_s);
  EXPECT_EQ(describe(second), describe(first));

  const std::vector<Submission> equal(6, add_submission(Language::kPython, "def add(a, b):\n    return b + a\n"));
  const std::vector<Evidence> all = judge->judge_all(equal);
  EXPECT_EQ(std::count_if(all.begin(), all.end(), [](const Evidence& one) { return one.cached; }), 5);

  const Submission late = add_submission(Language::kPython, "def add(a, b):\n    return 0 + b + a\n");
  std::atomic<int> cached = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] { cached += judge->judge(late).cached ? 1 : 0; });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(cached, 3);
}

TEST(Survival, AFullMachineChangesNoVerdict) {
  PLUMB_JUDGE_OR_SKIP(judge);
  std::vector<Submission> submissions;
  for (int i = 0; i < 12; ++i) {
    Submission one = add_submission(Language::kPython,
                                    "import time\ndef add(a, b):\n    while time.process_time() < 0.1:\n        pass\n"
                                    "    return a + b\n#" +
                                        std::to_string(i));
    one.limits.cpu_s = 0.4;
    submissions.push_back(one);
  }
  std::atomic<bool> stop = false;
  std::vector<std::thread> load;
  for (unsigned i = 0; i < 2 * std::thread::hardware_concurrency(); ++i) {
    load.emplace_back([&] {
      while (!stop) {
      }
    });
  }
  const std::vector<Evidence> evidence = judge->judge_all(submissions);
  stop = true;
  for (std::thread& thread : load) {
    thread.join();
  }
  for (const Evidence& one : evidence) {
    EXPECT_EQ(one.verdict, Verdict::kAC) << describe(one);
  }
}

// A launcher that is lost and cannot be started again: our fault, said so, and no verdict on the program.
TEST(Survival, WithoutLaunchersThereIsNoVerdict) {
  PLUMB_JUDGE_OR_SKIP(shared);
  const std::vector<int> others = test::launchers();
  const fs::path copy = fs::path(test::judge_options().cache_dir) / ("sandbox-" + std::to_string(getpid()));
  fs::copy_file(test::judge_options().launcher, copy, fs::copy_options::overwrite_existing);
  JudgeOptions options = test::judge_options();
  options.slots = 1;
  options.launcher = copy;
  auto judge = start_judge(options);
  ASSERT_TRUE(judge) << judge.error().message;
  fs::remove(copy);
  for (const int pid : test::launchers()) {
    if (std::find(others.begin(), others.end(), pid) == others.end()) {
      kill(pid, SIGKILL);
    }
  }
  const Evidence evidence =
      (*judge)->judge(add_submission(Language::kPython, "def add(a, b):\n    return a + b # without\n"));
  EXPECT_EQ(evidence.verdict, Verdict::kSE);
  EXPECT_NE(evidence.fault.find(copy.filename().string()), std::string::npos) << evidence.fault;
  EXPECT_EQ(shared->judge(add_submission(Language::kPython, "def add(a, b):\n    return a + b # with\n")).verdict,
            Verdict::kAC);
}

TEST(Survival, NothingIsLeftOfAJudge) {
  std::string why;
  if (test::shared_judge(why) == nullptr) {
    GTEST_SKIP() << "no isolation on this machine: " << why;
  }
  const std::vector<int> others = test::launchers();
  std::vector<int> own;
  {
    auto judge = start_judge(test::judge_options());
    ASSERT_TRUE(judge) << judge.error().message;
    for (const int pid : test::launchers()) {
      if (std::find(others.begin(), others.end(), pid) == others.end()) {
        own.push_back(pid);
      }
    }
    ASSERT_EQ(own.size(), 2U);
    EXPECT_FALSE(test::control_groups_of(own[0]).empty());
    // Killed at the worst moment: its group is for the other one to sweep.
    kill(own[0], SIGKILL);
    const Evidence evidence =
        (*judge)->judge(add_submission(Language::kPython,
                                       "import os, time\nif os.fork() == 0:\n    time.sleep(600)\n"
                                       "def add(a, b):\n    return a + b # left\n"));
    EXPECT_EQ(evidence.verdict, Verdict::kAC) << describe(evidence);
  }
  for (const int pid : own) {
    EXPECT_EQ(test::control_groups_of(pid), std::vector<std::string>());
    EXPECT_NE(kill(pid, 0), 0);
  }
  EXPECT_EQ(test::processes_beside_launchers(), std::vector<std::string>());
}

TEST(StartJudge, SaysWhatIsMissing) {
  JudgeOptions options = test::judge_options();
  options.launcher = "/nowhere/plumb-sandbox";
  const auto no_launcher = start_judge(options);
  ASSERT_FALSE(no_launcher);
  EXPECT_NE(no_launcher.error().message.find("/nowhere/plumb-sandbox"), std::string::npos);
  options = test::judge_options();
  options.cache_dir = "/dev/null/cache";
  const auto no_cache = start_judge(options);
  ASSERT_FALSE(no_cache);
  EXPECT_NE(no_cache.error().message.find("/dev/null/cache"), std::string::npos) << no_cache.error().message;
  EXPECT_NE(no_cache.error().message.find("cache_dir"), std::string::npos);
  // A launcher that is some other program.
  options = test::judge_options();
  options.launcher = "/bin/true";
  EXPECT_FALSE(start_judge(options));
}

}  // namespace
}  // namespace plumb
