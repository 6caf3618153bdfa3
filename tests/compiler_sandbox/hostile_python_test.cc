// Python programs that attack their judge from inside the interpreter. None may pass without the right answers.

#include <gtest/gtest.h>

#include <algorithm>

#include "judge_support.h"

namespace plumb {
namespace {

using test::add_submission;
using test::describe;

struct Attack {
  const char* name;
  const char* source;
  std::vector<Verdict> accepted;
};

constexpr Verdict kWA = Verdict::kWA;
constexpr Verdict kRE = Verdict::kRE;

void expect_contained(Judge& judge, const std::vector<Attack>& attacks) {
  for (const Attack& attack : attacks) {
    const Evidence evidence = judge.judge(add_submission(Language::kPython, attack.source));
    EXPECT_NE(std::find(attack.accepted.begin(), attack.accepted.end(), evidence.verdict), attack.accepted.end())
        << attack.name << ": " << describe(evidence);
    EXPECT_LT(evidence.passed, evidence.total) << attack.name;
  }
}

TEST(HostilePython, LeavingEarlyIsNoSuccess) {
  PLUMB_JUDGE_OR_SKIP(judge);
  expect_contained(
      *judge,
      {
          {"exit 0 while loading", "import os\nos._exit(0)\n", {kRE}},
          {"exit 0 in the call", "import os\ndef add(a, b):\n    os._exit(0)\n", {kRE}},
          {"SystemExit while loading", "import sys\nsys.exit(0)\ndef add(a, b):\n    return a + b\n", {kRE}},
          {"SystemExit in the call", "def add(a, b):\n    raise SystemExit(0)\n", {kRE}},
          {"right once, then gone",
           "import os\nn = 0\ndef add(a, b):\n    global n\n    n += 1\n    if n > 1:\n        os._exit(0)\n    return "
           "a + b\n",
           {kRE}},
          {"killed by its own hand",
           "import os, signal\ndef add(a, b):\n    os.kill(os.getpid(), signal.SIGKILL)\n",
           {kRE}},
          {"aborts", "import os\ndef add(a, b):\n    os.abort()\n", {kRE}},
          {"replaced by another program", "import os\ndef add(a, b):\n    os.execv('/bin/true', ['true'])\n", {kRE}},
      });
}

TEST(HostilePython, PrintedMarkersMeanNothing) {
  PLUMB_JUDGE_OR_SKIP(judge);
  expect_contained(*judge,
                   {
                       {"markers printed",
                        "def add(a, b):\n    print('ALL TESTS PASSED', '{\"passed\": true}', 'OK')\n    return 0\n",
                        {kWA}},
                       {"markers at exit, exit code 0",
                        "import atexit, os\ndef bye():\n    os.write(1, b'OK\\n1 passed\\n')\n    "
                        "os._exit(0)\natexit.register(bye)\n"
                        "def add(a, b):\n    raise KeyError\n",
                        {kRE}},
                       {"verdicts on every descriptor",
                        "import os\ndef add(a, b):\n    for fd in range(64):\n        try:\n            os.write(fd, "
                        "b'AC\\npassed\\n')\n"
                        "        except OSError:\n            pass\n    return a + b\n",
                        {kRE}},
                       {"a frame with a guessed nonce",
                        "import os\ndef add(a, b):\n    os.write(3, b'0000000000000000V 3\\ni5;')\n    return 0\n",
                        {kRE}},
                       {"its channel closed", "import os\ndef add(a, b):\n    os.close(3)\n    return a + b\n", {kRE}},
                       {"its channel replaced",
                        "import os\nr, w = os.pipe()\nos.dup2(w, 3)\ndef add(a, b):\n    return a + b\n",
                        {kRE, Verdict::kTLE}},
                   });
}

TEST(HostilePython, ComparingHappensElsewhere) {
  PLUMB_JUDGE_OR_SKIP(judge);
  expect_contained(
      *judge,
      {
          {"equal to everything",
           "class Any:\n    def __eq__(self, other):\n        return True\n    def __ne__(self, other):\n        "
           "return False\n"
           "    def __hash__(self):\n        return 0\ndef add(a, b):\n    return Any()\n",
           {kWA}},
          {"an int that is equal to everything",
           "class Any(int):\n    def __eq__(self, other):\n        return True\n    __hash__ = int.__hash__\n    def "
           "__index__(self):\n"
           "        return 5\ndef add(a, b):\n    return Any(0)\n",
           {kWA}},
          {"builtins replaced",
           "import builtins\nbuiltins.len = lambda x: 1\nbuiltins.type = lambda x: int\nbuiltins.str = builtins.repr = "
           "builtins.hex = lambda *a: '0x5'\nbuiltins.isinstance = lambda *a: True\nbuiltins.all = lambda *a: True\n"
           "def add(a, b):\n    return 0\n",
           {kWA}},
          {"os replaced",
           "import os\nold = os.write\nos.write = lambda fd, data: old(fd, data.replace(b'i0;', b'i5;'))\nos.read = "
           "None\n"
           "def add(a, b):\n    return 0\n",
           {kWA}},
          {"asserts removed and harmless",
           "import builtins\nc = builtins.compile\nbuiltins.compile = lambda *a, **k: c('pass', 'x', 'exec')\n"
           "builtins.AssertionError = SystemExit\ndef add(a, b):\n    return 0\n",
           {kWA}},
          {"a type from nowhere", "def add(a, b):\n    return type('int', (), {})()\n", {kWA}},
          {"unpickling bomb",
           "class P:\n    def __reduce__(self):\n        return (print, ('x',))\ndef add(a, b):\n    return P()\n",
           {kWA}},
      });
}

TEST(HostilePython, TheDriversMemoryHoldsNoAnswers) {
  PLUMB_JUDGE_OR_SKIP(judge);
  expect_contained(
      *judge,
      {
          {"frames walked, locals changed",
           "import sys\ndef add(a, b):\n    f = sys._getframe()\n    while f:\n        for k in list(f.f_locals):\n"
           "            if k in ('ok', 'passed', 'result', 'expected'):\n                f.f_locals[k] = True\n        "
           "f = f.f_back\n"
           "    return 0\n",
           {kWA}},
          {"the driver's own send, with its nonce",
           "import sys\ndef add(a, b):\n    local = sys._getframe(1).f_locals\n    local['send'](local['nonce'], b'V', "
           "b'i0;')\n"
           "    return 0\n",
           {kWA}},
          {"all lists filled with True",
           "import gc\ndef add(a, b):\n    for o in gc.get_objects():\n        if type(o) is list and len(o) < 8:\n"
           "            o[:] = [True] * len(o)\n    return 0\n",
           {kWA, kRE}},
          {"whatever the collector knows that looks expected",
           "import gc\ndef add(a, b):\n    for o in gc.get_objects():\n        if type(o) is dict and 'expected' in "
           "o:\n"
           "            return o['expected']\n    return None\n",
           {kWA}},
          {"trace hooks in all frames",
           "import sys\ndef hook(frame, event, arg):\n    if event == 'exception':\n        raise SystemExit(0)\n    "
           "return hook\n"
           "sys.settrace(hook)\nf = sys._getframe()\nwhile f:\n    f.f_trace = hook\n    f = f.f_back\n"
           "def add(a, b):\n    return 0\n",
           {kWA, kRE}},
          {"the driver's files rewritten",
           "import glob, os, sys\nfor f in glob.glob('*') + ['sitecustomize.py', 'json.py', 'solution.py']:\n    try:\n"
           "        open(f, 'w').write('import os\\nos._exit(0)\\n')\n    except OSError:\n        pass\n"
           "def add(a, b):\n    return 0\n",
           {kWA}},
          {"small integers changed in place",
           "import ctypes\ntry:\n    ctypes.memmove(id(0) + 24, id(5) + 24, 4)\nexcept Exception:\n    pass\n"
           "def add(a, b):\n    return 0\n",
           {kWA, kRE}},
      });
}

TEST(HostilePython, ExceptionsAreOnlyText) {
  PLUMB_JUDGE_OR_SKIP(judge);
  expect_contained(
      *judge,
      {
          {"text that raises",
           "class Boom(Exception):\n    def __str__(self):\n        raise self\ndef add(a, b):\n    raise Boom()\n",
           {kRE}},
          {"text that is no text",
           "class Boom(Exception):\n    def __str__(self):\n        return type('S', (str,), {})('x')\ndef add(a, "
           "b):\n    raise Boom()\n",
           {kRE}},
          {"text without end",
           "class Boom(Exception):\n    def __str__(self):\n        return 'A' * (1 << 29)\ndef add(a, b):\n    raise "
           "Boom()\n",
           {Verdict::kMLE}},
          {"attributes that raise",
           "class Boom(Exception):\n    def __getattribute__(self, name):\n        raise self\ndef add(a, b):\n    "
           "raise Boom()\n",
           {kRE}},
          {"memory error by hand", "def add(a, b):\n    raise MemoryError\n", {Verdict::kMLE}},
          {"a list that holds itself", "def add(a, b):\n    x = []\n    x.append(x)\n    return x\n", {kWA}},
          {"a value far too long", "def add(a, b):\n    return [1] * 200000\n", {kWA}},
      });
}

TEST(HostilePython, ARightAnswerIsRightWhateverElseRuns) {
  PLUMB_JUDGE_OR_SKIP(judge);
  const char* sources[] = {
      "import threading, time, atexit\nthreading.Thread(target=time.sleep, args=(3600,)).start()\n"
      "atexit.register(time.sleep, 3600)\ndef add(a, b):\n    return a + b\n",
      "import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(3600)\ndef add(a, b):\n    return a + b\n",
      "import os\nos.close(0)\nos.close(1)\nos.close(2)\ndef add(a, b):\n    return a + b\n",
      "import sys\nsys.setrecursionlimit(50)\nsys.stdout = sys.stderr = None\ndef add(a, b):\n    return a + b\n",
      "import signal\nfor s in range(1, 32):\n    try:\n        signal.signal(s, signal.SIG_IGN)\n    except (OSError, "
      "ValueError):\n        pass\ndef add(a, b):\n    return a + b\n",
  };
  for (const char* source : sources) {
    const Evidence evidence = judge->judge(add_submission(Language::kPython, source));
    EXPECT_EQ(evidence.verdict, Verdict::kAC) << source << describe(evidence);
    EXPECT_LT(evidence.wall_s, 5) << source;
  }
  EXPECT_EQ(test::processes_beside_launchers(), std::vector<std::string>());
}

}  // namespace
}  // namespace plumb
