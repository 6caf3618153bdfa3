// Limits: each one is met by a program that breaks it and, where that says something, by one that stays below.

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "compiler_sandbox/examine.h"
#include "judge_support.h"

namespace plumb {
namespace {

using test::add_submission;
using test::describe;

Submission with_small_limits(Language language, const std::string& source) {
  Submission submission = add_submission(language, source);
  submission.limits.cpu_s = 0.3;
  submission.limits.wall_s = 3;
  return submission;
}

struct Case {
  const char* name;
  Language language;
  const char* source;
  Verdict verdict;
};

TEST(Limits, CpuTime) {
  PLUMB_JUDGE_OR_SKIP(judge);
  const Case cases[] = {
      {"a loop", Language::kPython, "def add(a, b):\n    while True:\n        pass\n", Verdict::kTLE},
      {"a loop", Language::kCpp, "int add(int a, int b) { for (volatile int i = 0;;) i = a; }", Verdict::kTLE},
      {"inside one C call", Language::kPython, "def add(a, b):\n    return sum(range(1 << 62))\n", Verdict::kTLE},
      {"while loading", Language::kPython, "while True:\n    pass\n", Verdict::kTLE},
      {"before main", Language::kCpp,
       "struct S { S() { for (;;) asm volatile(\"\"); } } s;\nint add(int a, int b) { return a + b; }", Verdict::kTLE},
      {"all signals blocked", Language::kCpp,
       "#include <csignal>\nint add(int a, int b) { sigset_t s; sigfillset(&s); sigprocmask(SIG_BLOCK, &s, nullptr);\n"
       "for (int i = 1; i < 65; ++i) signal(i, SIG_IGN);\nfor (;;) asm volatile(\"\"); }",
       Verdict::kTLE},
      {"in children that nobody waits for", Language::kPython,
       "import os, signal, time\nsignal.signal(signal.SIGCHLD, signal.SIG_IGN)\ndef add(a, b):\n    for _ in "
       "range(4):\n"
       "        if os.fork() == 0:\n            while True:\n                pass\n    time.sleep(60)\n",
       Verdict::kTLE},
  };
  for (const Case& one : cases) {
    const Evidence evidence = judge->judge(with_small_limits(one.language, one.source));
    EXPECT_EQ(evidence.verdict, one.verdict) << one.name << ": " << describe(evidence);
    EXPECT_GT(evidence.cpu_s, 0.3) << one.name;
  }
}

TEST(Limits, Memory) {
  PLUMB_JUDGE_OR_SKIP(judge);
  const Case cases[] = {
      {"many small pieces", Language::kPython,
       "def add(a, b):\n    x = []\n    while True:\n        x.append(bytes(100000))\n", Verdict::kMLE},
      {"one huge piece", Language::kPython, "def add(a, b):\n    return len(bytearray(1 << 42))\n", Verdict::kMLE},
      {"touched pages", Language::kCpp,
       "int add(int a, int b) { std::vector<std::string> v; for (;;) v.emplace_back(1 << 20, 'x'); }", Verdict::kMLE},
      {"one huge piece", Language::kCpp, "int add(int a, int b) { std::vector<char> v(1L << 42); return v[a]; }",
       Verdict::kMLE},
      {"split over children", Language::kPython,
       "import os, time\ndef add(a, b):\n    for _ in range(4):\n        if os.fork() == 0:\n            x = "
       "bytearray(90 << 20)\n"
       "            time.sleep(60)\n    os.wait()\n    return a + b\n",
       Verdict::kMLE},
      {"half of the limit", Language::kPython, "def add(a, b):\n    x = bytearray(128 << 20)\n    return a + b\n",
       Verdict::kAC},
  };
  for (const Case& one : cases) {
    Submission submission = add_submission(one.language, one.source);
    submission.limits.memory_mib = 256;
    const Evidence evidence = judge->judge(submission);
    EXPECT_EQ(evidence.verdict, one.verdict) << one.name << ": " << describe(evidence);
    EXPECT_LT(evidence.peak_mib, 270) << one.name;
  }
}

TEST(Limits, Output) {
  PLUMB_JUDGE_OR_SKIP(judge);
  const Case cases[] = {
      {"standard output", Language::kPython, "def add(a, b):\n    while True:\n        print('x' * 1000)\n",
       Verdict::kOLE},
      {"standard error", Language::kPython,
       "import sys\ndef add(a, b):\n    while True:\n        sys.stderr.write('x' * 1000)\n", Verdict::kOLE},
      {"then the right answer", Language::kPython, "def add(a, b):\n    print('x' * 70000)\n    return a + b\n",
       Verdict::kOLE},
      {"just below", Language::kPython, "def add(a, b):\n    print('x' * 15000)\n    return a + b\n", Verdict::kAC},
      {"C++", Language::kCpp, "int add(int a, int b) { for (;;) std::puts(\"flood\"); }", Verdict::kOLE},
  };
  for (const Case& one : cases) {
    const Evidence evidence = judge->judge(add_submission(one.language, one.source));
    EXPECT_EQ(evidence.verdict, one.verdict) << one.name << ": " << describe(evidence);
    EXPECT_LE(evidence.output.size(), 4096U);
  }
}

TEST(Limits, Processes) {
  PLUMB_JUDGE_OR_SKIP(judge);
  const Evidence bomb = judge->judge(with_small_limits(
      Language::kPython,
      "import os\ndef add(a, b):\n    while True:\n        try:\n            os.fork()\n        except "
      "OSError:\n            pass\n"));
  EXPECT_EQ(bomb.verdict, Verdict::kTLE) << describe(bomb);
  const Evidence threads = judge->judge(with_small_limits(
      Language::kCpp,
      "#include <thread>\nint add(int a, int b) { std::vector<std::thread> v; for (;;) v.emplace_back([] { "
      "for (;;) std::this_thread::sleep_for(std::chrono::hours(1)); }); }"));
  EXPECT_EQ(threads.verdict, Verdict::kRE) << describe(threads);
  // How many it can make is what the limit says, not more and not none.
  Submission counting = test::make_submission(
      Language::kPython,
      "import os, time\ndef count():\n    made = 0\n    try:\n        while made < 100:\n            if os.fork() == "
      "0:\n"
      "                time.sleep(60)\n            made += 1\n    except OSError:\n        pass\n    print(made)\n"
      "    return 4 <= made <= 10\n",
      {"count", {}, "bool"}, "[[[], true]]");
  counting.limits.processes = 8;
  const Evidence counted = judge->judge(counting);
  EXPECT_EQ(counted.verdict, Verdict::kAC) << describe(counted);
  Submission alone = test::make_submission(
      Language::kPython,
      "import os\ndef alone():\n    try:\n        if os.fork() == 0:\n            os._exit(0)\n    except OSError:\n"
      "        return True\n    return False\n",
      {"alone", {}, "bool"}, "[[[], true]]");
  alone.limits.processes = 1;
  const Evidence single = judge->judge(alone);
  EXPECT_EQ(single.verdict, Verdict::kAC) << describe(single);
  EXPECT_EQ(test::processes_beside_launchers(), std::vector<std::string>());
}

// Less than a copy of the interpreter needs while it is made: its template and the launcher live on all the same.
TEST(Limits, SoLittleMemoryThatNothingRuns) {
  PLUMB_JUDGE_OR_SKIP(judge);
  for (int i = 0; i < 40; ++i) {
    Submission tiny =
        test::add_submission(Language::kPython, "def add(a, b):\n    return a + b  # " + std::to_string(i) + "\n");
    tiny.limits.memory_mib = 1;
    const Evidence evidence = judge->judge(tiny);
    EXPECT_TRUE(evidence.verdict == Verdict::kMLE || evidence.verdict == Verdict::kAC) << describe(evidence);
  }
  EXPECT_EQ(test::processes_beside_launchers(), std::vector<std::string>());
  for (const int pid : test::templates()) {
    std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
    const std::string text{std::istreambuf_iterator<char>(stat), {}};
    EXPECT_EQ(text.find(") Z"), std::string::npos) << text;
  }
}

TEST(Limits, Files) {
  PLUMB_JUDGE_OR_SKIP(judge);
  // Fills the private folder and says how many MiB fitted; inodes, too, are counted.
  const Evidence filled = judge->judge(test::make_submission(
      Language::kPython,
      "import os\ndef fill():\n    size = 0\n    try:\n        for i in range(64):\n            with open('/tmp/f%d' % "
      "i, 'wb') as f:\n"
      "                for _ in range(4):\n                    f.write(bytes(1 << 20))\n                    f.flush()\n"
      "                    size += 1\n    except OSError:\n        pass\n    files = 0\n    try:\n        while files "
      "< 20000:\n"
      "            os.mknod('/work/n%d' % files)\n            files += 1\n    except OSError:\n        pass\n"
      "    print(size, files)\n    return 12 <= size <= 16 and files < 5000\n",
      {"fill", {}, "bool"}, "[[[], true]]"));
  EXPECT_EQ(filled.verdict, Verdict::kAC) << describe(filled);
  // Paths deeper than any path may be long: still gone afterwards.
  const Evidence deep = judge->judge(add_submission(
      Language::kPython,
      "import os\ndef add(a, b):\n    for _ in range(1000):\n        os.mkdir('d' * 20)\n        os.chdir('d' * 20)\n"
      "    return a + b\n"));
  EXPECT_NE(deep.verdict, Verdict::kSE) << describe(deep);
}

TEST(Limits, Recursion) {
  PLUMB_JUDGE_OR_SKIP(judge);
  const Evidence deep = judge->judge(
      add_submission(Language::kCpp,
                     "int count(int n) { volatile int x = n; return n == 0 ? 0 : count(n - 1) + (x == n); }\n"
                     "int add(int a, int b) { return count(100000) - 100000 + a + b; }"));
  EXPECT_EQ(deep.verdict, Verdict::kAC) << describe(deep);
  const Evidence endless = judge->judge(
      add_submission(Language::kCpp,
                     "int count(int n) { volatile char x[1000]; x[n % 1000] = 1; return count(n + 1) + x[0]; }\n"
                     "int add(int a, int b) { return count(a) + b; }"));
  EXPECT_TRUE(endless.verdict == Verdict::kRE || endless.verdict == Verdict::kMLE) << describe(endless);
}

// One worker, without the judge that repeats what is in doubt.
class Examine : public testing::Test {
 protected:
  void SetUp() override {
    const IsolationReport report = probe_isolation(test::judge_options().launcher);
    if (const std::string why = report.refusal({}); !why.empty()) {
      GTEST_SKIP() << "no isolation on this machine: " << why;
    }
    auto tools = Toolchain::prepare(test::judge_options().cache_dir);
    ASSERT_TRUE(tools) << tools.error().message;
    tools_ = std::move(*tools);
    auto worker = Worker::start(test::judge_options().launcher, tools_->cache_dir());
    ASSERT_TRUE(worker) << worker.error().message;
    worker_ = std::move(*worker);
  }
  Finding see(const std::string& source, double cpu_s, double wall_s, bool alone) {
    Submission submission = add_submission(Language::kPython, source);
    submission.limits.cpu_s = cpu_s;
    submission.limits.wall_s = wall_s;
    return examine(*worker_, *tools_, submission, alone);
  }

  std::unique_ptr<Toolchain> tools_;
  std::unique_ptr<Worker> worker_;
};

constexpr const char* kQuarterSecond =
    "import time\ndef add(a, b):\n    while time.process_time() < 0.25:\n        pass\n    return a + b\n";

TEST_F(Examine, ARunNearItsLimitIsInDoubtUntilItRanAlone) {
  EXPECT_EQ(see(kQuarterSecond, 1, 10, false).evidence.verdict, Verdict::kAC);
  EXPECT_EQ(see(kQuarterSecond, 0.2, 10, false).doubt, Doubt::kNearLimit);
  const Finding alone = see(kQuarterSecond, 0.2, 10, true);
  EXPECT_EQ(alone.doubt, Doubt::kNone);
  EXPECT_EQ(alone.evidence.verdict, Verdict::kTLE) << describe(alone.evidence);
  // Half as much again, and no busy machine explains it.
  const Finding far = see(kQuarterSecond, 0.1, 10, false);
  EXPECT_EQ(far.doubt, Doubt::kNone);
  EXPECT_EQ(far.evidence.verdict, Verdict::kTLE) << describe(far.evidence);
}

TEST_F(Examine, WallTimeIsOnlyTheProgramsFaultWhereItSleeps) {
  const Finding sleeping = see("import time\ndef add(a, b):\n    time.sleep(60)\n", 1, 0.5, false);
  EXPECT_EQ(sleeping.doubt, Doubt::kNone);
  EXPECT_EQ(sleeping.evidence.verdict, Verdict::kTLE);
  const Finding busy = see("def add(a, b):\n    while True:\n        pass\n", 60, 0.5, false);
  EXPECT_EQ(busy.doubt, Doubt::kFault);
  EXPECT_NE(busy.evidence.fault.find("too busy"), std::string::npos) << busy.evidence.fault;
}

TEST(Limits, WallTime) {
  PLUMB_JUDGE_OR_SKIP(judge);
  Submission sleeping = add_submission(Language::kPython, "import time\ndef add(a, b):\n    time.sleep(60)\n");
  sleeping.limits.wall_s = 0.5;
  const Evidence slept = judge->judge(sleeping);
  EXPECT_EQ(slept.verdict, Verdict::kTLE) << describe(slept);
  // A machine that gave it no time for its work is our fault: no verdict.
  Submission starved = add_submission(Language::kPython, "def add(a, b):\n    while True:\n        pass\n");
  starved.limits.cpu_s = 60;
  starved.limits.wall_s = 0.4;
  const Evidence masked = judge->judge(starved);
  EXPECT_EQ(masked.verdict, Verdict::kSE) << describe(masked);
  EXPECT_FALSE(masked.fault.empty());
}

}  // namespace
}  // namespace plumb
