// Tests that are code themselves, and candidates that would rather not be tested.

#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <set>
#include <thread>

#include "tests/compiler_sandbox/judge_support.h"

namespace plumb {
namespace {

using test::describe;

Submission suite_submission(const std::string& source, const std::string& code) {
  Submission submission;
  submission.language = Language::kPython;
  submission.source = source;
  submission.suite.code = code;
  submission.limits.cpu_s = 1;
  return submission;
}

using Verdicts = std::vector<Verdict>;

// A judge of their own: where suites run, a session waits for the next one as long as its judge lives.
class Suites : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    std::string why;
    if (test::shared_judge(why) != nullptr) {
      judge_ = start_judge(test::judge_options()).value();
    }
  }
  static void TearDownTestSuite() { judge_.reset(); }
  void SetUp() override {
    if (judge_ == nullptr) {
      GTEST_SKIP() << "no isolation on this machine";
    }
  }
  static inline std::unique_ptr<Judge> judge_;
};

TEST_F(Suites, EachAssertAndCallIsATest) {
  Submission submission =
      suite_submission("def add(a, b=1):\n    return a + b\n",
                       "base = 1\nassert add(base) == 2\nassert add(2, b=3) == 6\nassert add([1], [2]) == [1, 2]\n"
                       "def check(f):\n    for i in range(50):\n        assert f(i) == i + 1\ncheck(add)\n");
  const Evidence first = judge_->judge(submission);
  EXPECT_EQ(first.verdict, Verdict::kWA) << describe(first);
  EXPECT_EQ(first.tests, (Verdicts{Verdict::kAC, Verdict::kWA}));
  EXPECT_EQ(first.total, 4);
  EXPECT_EQ(first.diagnostics.at(0).message, "test 2 failed, in line 3 of the tests");
  EXPECT_EQ(first.isolation, judge_->isolation().summary());
  submission.stop_at_first_failure = false;
  const Evidence all = judge_->judge(submission);
  EXPECT_EQ(all.tests, (Verdicts{Verdict::kAC, Verdict::kWA, Verdict::kAC, Verdict::kAC})) << describe(all);
  EXPECT_EQ(all.passed, 3);
}

TEST_F(Suites, ACandidateThatEndedIsRunAgainForTheTestsThatFollow) {
  Submission submission = suite_submission(
      "import os\ncalls = 0\ndef f(x):\n    global calls\n    calls += 1\n    if x == 0:\n        os._exit(3)\n"
      "    return x if x > 0 else calls\n",
      "assert f(1) == 1\nassert f(0) == 0\nassert f(-1) == 1\nassert f(2) == 3\n"
      "def test_swallows():\n    try:\n        f(0)\n    except BaseException:\n        pass\n    try:\n        f(5)\n"
      "    except BaseException:\n        pass\ndef test_last():\n    assert f(-1) == 1\n");
  const Evidence first = judge_->judge(submission);
  EXPECT_EQ(first.tests, (Verdicts{Verdict::kAC, Verdict::kRE})) << describe(first);
  submission.stop_at_first_failure = false;
  const Evidence all = judge_->judge(submission);
  EXPECT_EQ(all.tests, (Verdicts{Verdict::kAC, Verdict::kRE, Verdict::kAC, Verdict::kWA, Verdict::kRE, Verdict::kAC}))
      << describe(all);
  EXPECT_EQ(all.total, 6);
  EXPECT_EQ(all.passed, 3);
  ASSERT_EQ(all.diagnostics.size(), 1U);
  EXPECT_NE(all.diagnostics[0].message.find("exit code 3"), std::string::npos) << describe(all);
  // The last test ends it, and there is nothing left to run.
  submission.suite.code = "assert f(1) == 1\nassert f(0) == 0\n";
  const Evidence last = judge_->judge(submission);
  EXPECT_EQ(last.tests, (Verdicts{Verdict::kAC, Verdict::kRE})) << describe(last);
  // The judge's channel, and what is numbered in messages.
  submission.source = "import os\ndef f(x):\n    if x == 0:\n        os.write(3, b'x' * 99)\n    return x\n";
  submission.suite.code = "assert f(0) == 0\nassert f(1) == 2\nassert f(3) == 3\n";
  const Evidence spoiled = judge_->judge(submission);
  EXPECT_EQ(spoiled.tests, (Verdicts{Verdict::kRE, Verdict::kWA, Verdict::kAC})) << describe(spoiled);
  EXPECT_EQ(judge_->judge(suite_submission("def f(x):\n    return x\n", "assert f(1) == 1\n")).verdict, Verdict::kAC);
}

TEST_F(Suites, FunctionsAndUnittestsAreTestsToo) {
  Submission submission = suite_submission(
      "def half(n):\n    if n % 2:\n        raise ValueError('odd')\n    return n // 2\n",
      "import unittest\nfrom solution import half\n\ndef test_four():\n    assert half(4) == 2\n\n"
      "class Halves(unittest.TestCase):\n    def setUp(self):\n        self.six = 6\n\n    def test_six(self):\n"
      "        self.assertEqual(half(self.six), 3)\n\n    def test_wrong(self):\n        self.assertEqual(half(8), "
      "3)\n\n"
      "    def test_odd(self):\n        with self.assertRaises(ValueError):\n            half(3)\n");
  submission.stop_at_first_failure = false;
  const Evidence evidence = judge_->judge(submission);
  EXPECT_EQ(evidence.tests, (Verdicts{Verdict::kAC, Verdict::kAC, Verdict::kWA, Verdict::kAC})) << describe(evidence);
}

TEST_F(Suites, EveryPlainValueCrossesTheBorder) {
  const Evidence evidence = judge_->judge(
      suite_submission("def same(x):\n    return x\n",
                       "x = {'a': (1, 2.5, None, True), 3: {4, 'b'}, b'c\\0': [[], {}, -2 ** 100], 'n': float('inf')}\n"
                       "assert same(x) == x\nassert type(same((1,))) is tuple and type(same({1})) is set\n"));
  EXPECT_EQ(evidence.verdict, Verdict::kAC) << describe(evidence);
}

// HumanEval's decode_cyclic is given its encode_cyclic by the prompt: the candidate's own does not count.
TEST_F(Suites, HelpersAreTheTrustedSides) {
  Submission submission = suite_submission("def encode(s):\n    return s\ndef decode(s):\n    return s\n",
                                           "assert decode(encode('abc')) == 'abc'\n");
  EXPECT_EQ(judge_->judge(submission).verdict, Verdict::kAC);
  submission.suite.helpers = "def encode(s):\n    return s[::-1]\n\ndef decode(s):\n    'to do'\n";
  submission.suite.functions = {"decode"};
  EXPECT_EQ(judge_->judge(submission).verdict, Verdict::kWA);
  submission.source = "def decode(s):\n    return s[::-1]\n";
  EXPECT_EQ(judge_->judge(submission).verdict, Verdict::kAC);
}

TEST_F(Suites, NoTrickPasses) {
  const std::pair<const char*, Verdict> tricks[] = {
      {"import os\nos._exit(0)\n", Verdict::kRE},
      {"import os\ndef f(n):\n    os._exit(0)\n", Verdict::kRE},
      {"import sys\ndef f(n):\n    sys.exit(0)\n", Verdict::kRE},
      {"class A:\n    def __eq__(self, other):\n        return True\ndef f(n):\n    return A()\n", Verdict::kWA},
      {"class A(int):\n    def __eq__(self, other):\n        return True\ndef f(n):\n    return A(1)\n", Verdict::kWA},
      {"import builtins\nbuiltins.all = lambda *a: True\nbuiltins.AssertionError = Exception\ndef f(n):\n    return "
       "0\n",
       Verdict::kWA},
      {"import os\ndef f(n):\n    os.write(3, b'0' * 16 + b'V 2\\ni7;')\n", Verdict::kRE},
      {"def f(n):\n    raise AssertionError\n", Verdict::kRE},
      {"def f(n):\n    raise type('Fine', (BaseException,), {})()\n", Verdict::kRE},
      {"def f(n):\n    return NotImplemented\n", Verdict::kWA},
      {"def f(n):\n    return lambda: 7\n", Verdict::kWA},
      {"import sys\ndef f(n):\n    frame = sys._getframe()\n    while frame:\n        for value in "
       "frame.f_locals.values():\n"
       "            if value == 7:\n                return value\n        frame = frame.f_back\n",
       Verdict::kWA},
      {"def g(n):\n    return 7\n", Verdict::kRE},
      {"def f(n) return 7\n", Verdict::kCE},
      {"def f(n):\n    while True:\n        pass\n", Verdict::kTLE},
      {"def f(n):\n    return [0] * 10 ** 9\n", Verdict::kMLE},
      {"def f(n):\n    print('x' * 10 ** 6)\n    return 7\n", Verdict::kOLE},
      {"def f(n):\n    return 'x' * (9 << 20)\n", Verdict::kWA},
  };
  for (const auto& [source, verdict] : tricks) {
    const Evidence evidence = judge_->judge(suite_submission(source, "assert f(3) == 7\n"));
    EXPECT_EQ(evidence.verdict, verdict) << source << describe(evidence);
    EXPECT_EQ(evidence.passed, 0) << source;
    for (const Diagnostic& diagnostic : evidence.diagnostics) {
      EXPECT_EQ(diagnostic.message.find("== 7"), std::string::npos) << "the expected value is given away";
    }
  }
}

// An exception that ends a loop in silence ends no test in silence.
TEST_F(Suites, StopIterationPassesNothing) {
  const char* const kStops = "def f(n):\n    raise StopIteration\n";
  for (const char* code :
       {"assert all(map(lambda p: f(p) == 7, [1, 2]))\n",
        "def check(c):\n    for got, want in zip(map(c, [1, 2]), [7, 7]):\n        assert got == want\n"
        "check(f)\n",
        "assert next(map(f, [1]), 7) == 7\n"}) {
    const Evidence evidence = judge_->judge(suite_submission(kStops, code));
    EXPECT_EQ(evidence.verdict, Verdict::kRE) << code << describe(evidence);
  }
}

TEST_F(Suites, TheCandidatesNamesAreSeenEverywhere) {
  const Evidence evidence =
      judge_->judge(suite_submission("def f(n):\n    return n + 1\n",
                                     "class Case:\n    n = f(1)\n    def value(self):\n        return "
                                     "f(self.n)\nassert Case.n == 2 and Case().value() == 3\n"
                                     "assert [f(i) for i in range(2)] == [1, 2] and (lambda: f(4))() == 5\n"));
  EXPECT_EQ(evidence.verdict, Verdict::kAC) << describe(evidence);
  EXPECT_EQ(judge_->judge(suite_submission("x = 1\n", "assert __nothing__ == 1\n")).verdict, Verdict::kWA);
}

TEST_F(Suites, WordsOfACandidateHaveABound) {
  for (const char* source :
       {"def f(n):\n    raise type('A' * 3000000, (Exception,), {})()\n",
        "def f(n):\n    raise ValueError('\\u00e9' * 3000000)\n",
        "def f(n):\n    import os\n    os.write(3, b'0' * 16 + b'X 3000000\\n' + b'x' * 3000000)\n"}) {
    for (const Diagnostic& one : judge_->judge(suite_submission(source, "assert f(1) == 1\n")).diagnostics) {
      EXPECT_LE(one.message.size(), 10'000U);
    }
  }
}

TEST_F(Suites, ASuiteThatCannotBeRunIsOurFault) {
  const std::pair<const char*, const char*> suites[] = {{"assert f(3) ==\n", "the tests cannot be loaded"},
                                                        {"assert f(lambda: 3)\n", "the tests pass a function"}};
  for (const auto& [code, fault] : suites) {
    const Evidence evidence = judge_->judge(suite_submission("def f(n):\n    return n\n", code));
    EXPECT_EQ(evidence.verdict, Verdict::kSE) << code;
    EXPECT_NE(evidence.fault.find(fault), std::string::npos) << evidence.fault;
  }
  Submission cpp = suite_submission("int f(int n) { return n; }", "assert f(3) == 3\n");
  cpp.language = Language::kCpp;
  EXPECT_EQ(judge_->judge(cpp).verdict, Verdict::kSE);
}

TEST_F(Suites, ManyAtOnceNeedNoMoreSlotsThanThereAre) {
  std::vector<Submission> submissions;
  for (int i = 0; i < 40; ++i) {
    const std::string n = std::to_string(i);
    submissions.push_back(suite_submission("def f(n):\n    return n + " + n + "\n", "assert f(1) == " + n + "\n"));
    submissions.back().suite.code = i % 2 == 0 ? "assert f(1) == 1 + " + n + "\n" : submissions.back().suite.code;
  }
  const std::vector<Evidence> all = judge_->judge_all(submissions);
  for (int i = 0; i < 40; ++i) {
    EXPECT_EQ(all[static_cast<std::size_t>(i)].verdict, i % 2 == 0 ? Verdict::kAC : Verdict::kWA) << i;
  }
}

// A judge with one slot, so that each suite comes after the one before.
class SuiteProcess : public testing::Test {
 protected:
  void SetUp() override {
    std::string why;
    if (test::shared_judge(why) == nullptr) {
      GTEST_SKIP() << "no isolation on this machine: " << why;
    }
    for (const int pid : test::programs("python3")) {
      others_.insert(pid);
    }
    JudgeOptions options = test::judge_options();
    options.slots = 1;
    judge_ = start_judge(options).value();
  }

  Evidence judged(const std::string& source, const std::string& code) {
    return judge_->judge(suite_submission(source + "# " + std::to_string(number_++) + "\n", code));
  }

  // The process that waits for the next suite, or 0.
  int waiting() {
    for (const int pid : test::programs("python3")) {
      if (!others_.contains(pid)) {
        return pid;
      }
    }
    return 0;
  }

  std::unique_ptr<Judge> judge_;
  std::set<int> others_;
  int number_ = 0;
};

constexpr const char* kSame = "def same(x):\n    return x\n";

TEST_F(SuiteProcess, PlainSuitesFollowEachOtherInOne) {
  ASSERT_EQ(judged(kSame, "import math\nassert same(2) == 2\n").verdict, Verdict::kAC);
  const int first = waiting();
  ASSERT_NE(first, 0);
  const char* ends[] = {"def same(x):\n    return 0\n", "def same(x):\n    raise KeyError\n", "def same(x) return x\n",
                        "import os\nos._exit(0)\n", "def same(x):\n    import os\n    os._exit(0)\n"};
  for (const char* source : ends) {
    EXPECT_NE(judged(source, "for i in range(3):\n    assert same(i) == i\nassert same(5) == 5\n").verdict,
              Verdict::kAC);
    EXPECT_EQ(waiting(), first) << source;
  }
  EXPECT_EQ(judged(kSame, "assert same('x') == 'x'\n").verdict, Verdict::kAC);
  EXPECT_EQ(waiting(), first);
}

// Not run to its end: what is left of it comes when it is collected.
constexpr const char* kGenerator =
    "def steps():\n    try:\n        yield 1\n    finally:\n        same(None)\nit = steps()\nassert next(it) == 1\n";

// What one suite changes in its interpreter, no later one sees.
TEST_F(SuiteProcess, NothingIsLeftForTheNext) {
  const char* changes[] = {"import math\nmath.canary = 1\n",
                           "import builtins\nbuiltins.canary = 1\n",
                           "setattr(__import__('math'), 'canary', 1)\n",
                           "import sys\nsys.modules['canary'] = sys\n",
                           "import string\nstring.__dict__['canary'] = 1\n",
                           "canary = 1\n",
                           kGenerator,
                           "import json\njson.encoder.ESCAPE_DCT['canary'] = 1\n",
                           "from typing import sys\nsys.modules['canary'] = sys\n",
                           "import typing\ntyping.sys.modules['canary'] = typing\n",
                           "def change():\n    global canary\n    canary = 1\nchange()\n",
                           "import random\nrandom.seed(1)\nrandom.canary = random.random()\n"};
  for (const char* change : changes) {
    ASSERT_EQ(judged(kSame, std::string(change) + "assert same(1) == 1\n").verdict, Verdict::kAC) << change;
    const Evidence later = judged(kSame,
                                  "import builtins, math, random, string, sys\nassert same(1) == 1\n"
                                  "assert not any(hasattr(one, 'canary') for one in (builtins, math, string, random))\n"
                                  "assert 'canary' not in globals() and 'canary' not in sys.modules\n"
                                  "import json\nassert 'canary' not in json.encoder.ESCAPE_DCT\n");
    EXPECT_EQ(later.verdict, Verdict::kAC) << change << describe(later);
  }
}

TEST_F(SuiteProcess, OneThatDiedIsReplacedAndFailsNoCandidate) {
  ASSERT_EQ(judged(kSame, "assert same(2) == 2\n").verdict, Verdict::kAC);
  const int killed = waiting();
  ASSERT_NE(killed, 0);
  ASSERT_EQ(kill(killed, SIGKILL), 0);
  EXPECT_EQ(judged(kSame, "assert same(3) == 3\n").verdict, Verdict::kAC);
  EXPECT_NE(waiting(), killed);
  // In the middle of a suite that is not its first: that one is run again in a new process before it is believed.
  const int standing = waiting();
  std::thread killer([standing] {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    kill(standing, SIGKILL);
  });
  const Evidence slow = judged(kSame, "assert same(4) == 4\nassert sum(range(10 ** 8)) > same(0)\n");
  killer.join();
  EXPECT_EQ(slow.verdict, Verdict::kAC) << describe(slow);
  const Evidence large = judged(kSame, "assert len([0] * (1 << 28)) == same(0)\n");
  EXPECT_EQ(large.verdict, Verdict::kTLE) << describe(large);
  EXPECT_EQ(judged(kSame, "assert same(5) == 5\n").verdict, Verdict::kAC);
}

}  // namespace
}  // namespace plumb
