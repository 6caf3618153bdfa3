// Machines that refuse a layer: the judge refuses in turn and says what to do, unless the layer is named; then what is
// left still gives no false pass.

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "judge_support.h"

namespace plumb {
namespace {

using test::add_submission;
using test::describe;

JudgeOptions options_without(const std::string& call) {
  JudgeOptions options = test::judge_options();
  options.slots = 1;
  options.launcher = std::string(PLUMB_BINARY_DIR) + "/tests/compiler_sandbox/plumb-sandbox-without-" + call;
  return options;
}

// What every loosened judge has to do, and has to tell.
void expect_honest_verdicts(Judge& judge) {
  struct Case {
    Language language;
    const char* source;
    Verdict verdict;
  };
  const Case cases[] = {
      {Language::kPython, "def add(a, b):\n    return a + b\n", Verdict::kAC},
      {Language::kPython,
       "import threading\ndef add(a, b):\n    r = []\n    t = threading.Thread(target=lambda: r.append(a + b))\n"
       "    t.start()\n    t.join()\n    return r[0]\n",
       Verdict::kAC},
      {Language::kPython, "def add(a, b):\n    return a - b\n", Verdict::kWA},
      {Language::kPython, "import os\nos._exit(0)\n", Verdict::kRE},
      {Language::kPython, "def add(a, b):\n    while True:\n        pass\n", Verdict::kTLE},
      {Language::kPython, "def add(a, b):\n    x = []\n    while True:\n        x.append(bytes(1 << 20))\n",
       Verdict::kMLE},
      {Language::kPython,
       "import os\ndef add(a, b):\n    while True:\n        try:\n            os.fork()\n        except OSError:\n"
       "            pass\n",
       Verdict::kTLE},
      {Language::kPython,
       "import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(600)\ndef add(a, b):\n    return a + b\n",
       Verdict::kAC},
      {Language::kPython, "import socket\ndef add(a, b):\n    socket.socket()\n    return a + b\n", Verdict::kRE},
      {Language::kCpp, "int add(int a, int b) { return a + b; }", Verdict::kAC},
      {Language::kCpp, "int add(int a, int b) { std::vector<std::string> v; for (;;) v.emplace_back(1 << 20, 'x'); }",
       Verdict::kMLE},
      // Refused more at the limit, it goes on without.
      {Language::kCpp,
       "char* volatile seen;\nint add(int a, int b) {\n  for (;;) {\n    seen = new (std::nothrow) char[1 << 20];\n"
       "    if (!seen) return a + b;\n    std::memset(seen, 1, 1 << 20);\n  }\n}",
       Verdict::kMLE},
      {Language::kCpp, "int add(int a, int b) { return a + b + std::vector<char>(1 << 30, 1)[7] - 1; }", Verdict::kMLE},
      // A thread's children are the program's.
      {Language::kPython,
       "import os, threading, time\ndef add(a, b):\n    def fork():\n        for i in range(4):\n"
       "            if os.fork() == 0:\n                x = b'x' * (200 << 20)\n                time.sleep(0.3)\n"
       "                os._exit(0)\n        for i in range(4):\n            os.wait()\n"
       "    t = threading.Thread(target=fork)\n    t.start()\n    t.join()\n    return a + b\n",
       Verdict::kMLE},
      // What a fork shares counts once.
      {Language::kPython,
       "import os, time\ndef add(a, b):\n    x = b'x' * (200 << 20)\n    children = []\n    for i in range(2):\n"
       "        pid = os.fork()\n        if pid == 0:\n            time.sleep(0.1)\n            os._exit(0)\n"
       "        children.append(pid)\n    for pid in children:\n        os.waitpid(pid, 0)\n    return a + b\n",
       Verdict::kAC},
  };
  for (const Case& one : cases) {
    Submission submission = add_submission(one.language, one.source);
    submission.limits.cpu_s = 0.8;
    submission.limits.memory_mib = 384;
    const Evidence evidence = judge.judge(submission);
    EXPECT_EQ(evidence.verdict, one.verdict) << one.source << describe(evidence);
  }
  // The account of what has ended, of its orphans too.
  const Evidence busy = judge.judge(add_submission(
      Language::kPython,
      "import os, time\ndef spin(s):\n    end = time.process_time() + s\n    while time.process_time() < end:\n"
      "        pass\ndef add(a, b):\n    if a == 2:\n        spin(0.15)\n        child = os.fork()\n        if child "
      "== 0:\n"
      "            if os.fork() == 0:\n                spin(0.15)\n            os._exit(0)\n"
      "        os.waitpid(child, 0)\n        time.sleep(0.6)\n    return a + b\n"));
  EXPECT_EQ(busy.verdict, Verdict::kAC) << describe(busy);
  EXPECT_GT(busy.cpu_s, 0.2);
  // Many that keep each other from the processors are not kept from them by others.
  Submission swarm = add_submission(Language::kPython,
                                    "import os, time\ndef add(a, b):\n    for i in range(3):\n        os.fork()\n"
                                    "    while True:\n        time.sleep(0.0005)\n");
  swarm.limits.wall_s = 2;
  swarm.limits.cpu_s = 60;
  const Evidence crowded = judge.judge(swarm);
  EXPECT_EQ(crowded.verdict, Verdict::kTLE) << describe(crowded);
  EXPECT_EQ(test::programs_of_slots(), std::vector<std::string>());
}

TEST(Loosening, WithoutNamespaces) {
  if (geteuid() != 0) {
    GTEST_SKIP() << "an ordinary user needs namespaces to be let in at all";
  }
  PLUMB_JUDGE_OR_SKIP(shared);
  const auto refused = start_judge(options_without("unshare"));
  ASSERT_FALSE(refused);
  const std::string first = refused.error().message.substr(0, refused.error().message.find(". "));
  EXPECT_EQ(
      first,
      "The sandbox lacks the layer(s) user, pid, mount, net, ipc, uts, cgroup_ns: give the container --security-opt "
      "seccomp=unconfined --security-opt apparmor=unconfined (or --privileged), or set allow = "
      "[\"no_namespaces\"]");
  EXPECT_NE(refused.error().message.find("unshare(CLONE_NEWNS): Operation not permitted"), std::string::npos);
  JudgeOptions options = options_without("unshare");
  options.allow = {"no_namespaces"};
  const auto judge = start_judge(options);
  ASSERT_TRUE(judge) << judge.error().message;
  EXPECT_TRUE((*judge)->isolation().summary().starts_with("seccomp,no_new_privs,")) << (*judge)->isolation().summary();
  expect_honest_verdicts(**judge);
}

// Where this machine's files are in sight, Landlock is what keeps a program from them.
TEST(Loosening, WithoutNamespacesLandlockHolds) {
  if (geteuid() != 0) {
    GTEST_SKIP() << "an ordinary user needs namespaces to be let in at all";
  }
  PLUMB_JUDGE_OR_SKIP(shared);
  if (shared->isolation().summary().find("landlock") == std::string::npos) {
    GTEST_SKIP() << "the kernel has no Landlock";
  }
  const std::filesystem::path folder = std::filesystem::path(::testing::TempDir()) / "plumb_landlock_canary";
  std::filesystem::create_directories(folder);
  std::filesystem::permissions(folder, std::filesystem::perms::all);
  std::ofstream(folder / "secret") << "41";
  JudgeOptions options = options_without("unshare");
  options.allow = {"no_namespaces"};
  const auto judge = start_judge(options);
  ASSERT_TRUE(judge) << judge.error().message;
  const std::string at = folder.string();
  const std::string attempts[] = {"open('" + at + "/secret').read()",
                                  "open('" + at + "/made', 'w')",
                                  "os.remove('" + at + "/secret')",
                                  "os.listdir('" + at + "')",
                                  "open('/etc/passwd').read()",
                                  "os.listdir('/proc')",
                                  "os.listdir('/')"};
  for (const std::string& attempt : attempts) {
    const std::string source = "import os\ndef add(a, b):\n    try:\n        " + attempt +
                               "\n    except PermissionError:\n        return a + b\n    return 'reached'\n";
    const Evidence evidence = (*judge)->judge(add_submission(Language::kPython, source));
    EXPECT_EQ(evidence.verdict, Verdict::kAC) << attempt << describe(evidence);
  }
  const Evidence own = (*judge)->judge(add_submission(
      Language::kPython,
      "import os, tempfile\ndef add(a, b):\n    with tempfile.TemporaryDirectory() as t:\n        open(t + '/a', "
      "'w').write('1')"
      "\n        os.rename(t + '/a', t + '/b')\n        open('/dev/null', 'w').write('x')\n    return a + b\n"));
  EXPECT_EQ(own.verdict, Verdict::kAC) << describe(own);
  EXPECT_FALSE(std::filesystem::exists(folder / "made"));
  std::filesystem::remove_all(folder);
}

TEST(Loosening, WithoutControlGroups) {
  PLUMB_JUDGE_OR_SKIP(shared);
  const auto refused = start_judge(options_without("mkdirat"));
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("lacks the layer(s) cgroup_v1"), std::string::npos) << refused.error().message;
  EXPECT_NE(refused.error().message.find("allow = [\"no_cgroup\"]"), std::string::npos);
  JudgeOptions options = options_without("mkdirat");
  options.allow = {"no_cgroup"};
  const auto judge = start_judge(options);
  ASSERT_TRUE(judge) << judge.error().message;
  EXPECT_EQ((*judge)->isolation().summary().find("cgroup_v"), std::string::npos);
  expect_honest_verdicts(**judge);
}

}  // namespace
}  // namespace plumb
