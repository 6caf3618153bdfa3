#include "compiler_sandbox/forbidden_api.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "compiler_sandbox/evidence_cache.h"
#include "compiler_sandbox/evidence_json.h"
#include "tests/compiler_sandbox/judge_support.h"

namespace plumb {
namespace {

// "2 eval": line and name of each use.
std::vector<std::string> uses(Judge& judge, const char* language, const char* source,
                              const std::vector<std::string>& names) {
  Submission submission;
  submission.program_language = language;
  submission.source = source;
  submission.program_tests.push_back({"", ""});
  submission.forbidden = names;
  Evidence evidence;
  add_forbidden_uses(judge, submission, evidence);
  EXPECT_TRUE(evidence.fault.empty()) << evidence.fault;
  std::vector<std::string> found;
  for (const StaticFinding& one : evidence.findings) {
    EXPECT_EQ(one.rule, "forbidden-api");
    EXPECT_EQ(one.severity, "high");
    found.push_back(std::to_string(one.line) + " " + one.message);
  }
  return found;
}

using Found = std::vector<std::string>;

TEST(ForbiddenApi, PythonNamesAreFollowed) {
  PLUMB_JUDGE_OR_SKIP(judge);
  const std::vector<std::string> names = {"eval", "os.system", "subprocess", ".sort"};
  const struct {
    const char* source;
    Found found;
  } cases[] = {
      {"eval('1')\n", {"1 eval"}},
      {"import os\nos.system('ls')\n", {"2 os.system"}},
      {"import os as o\no.system('ls')\n", {"2 os.system"}},
      {"from os import system as s\ns('ls')\n", {"1 os.system", "2 os.system"}},
      {"from os import *\nsystem('ls')\n", {"2 os.system"}},
      {"import os\nrun = os.system\nrun('ls')\n", {"2 os.system", "3 os.system"}},
      {"import os\ngetattr(os, 'system')('ls')\n", {"2 os.system"}},
      {"__import__('os').system('ls')\n", {"1 os.system"}},
      {"import importlib\nimportlib.import_module('os').system('ls')\n", {"2 os.system"}},
      {"import os\nvars(os)['system']('ls')\nos.__dict__['system']('ls')\n", {"2 os.system", "3 os.system"}},
      {"import builtins\nbuiltins.eval('1')\n__builtins__['eval']('1')\n", {"2 eval", "3 eval"}},
      {"list(map(eval, input().split()))\n", {"1 eval"}},
      {"import subprocess\n", {"1 subprocess"}},
      {"from subprocess import run\n", {"1 subprocess"}},
      {"[3, 1].sort()\n", {"1 .sort"}},
      // Comments, texts, names of their own and other names are none.
      {"# eval(x)\ns = 'os.system(\"ls\")'\n", {}},
      {"def eval(x):\n    return x\neval(3)\n", {}},
      {"def f(eval):\n    return eval(3)\n", {}},
      {"class Unix:\n    def system(self): pass\nos = Unix()\nos.system()\n", {}},
      {"import ast, os\nast.literal_eval('1')\nos.path.join('a')\nsorted([1])\n", {}},
      {"eval(((\n", {}},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(uses(*judge, "python", one.source, names), one.found) << one.source;
  }
}

TEST(ForbiddenApi, PythonNamesHaveScopes) {
  PLUMB_JUDGE_OR_SKIP(judge);
  const std::vector<std::string> names = {"sorted", "max", "os.system"};
  const struct {
    const char* source;
    Found found;
  } cases[] = {
      // A name of the program's own hides a builtin where it is bound, and nowhere else.
      {"def g(sorted): return 1\ndef f(x): return sorted(x)\n", {"2 sorted"}},
      {"class A:\n    def sorted(self): pass\ndef f(x): return sorted(x)\n", {"3 sorted"}},
      {"def g():\n    for sorted in []: pass\ndef f(x): return sorted(x)\n", {"3 sorted"}},
      {"z = [sorted for sorted in []]\ndef f(x): return sorted(x)\n", {"2 sorted"}},
      {"def g(x):\n    match x:\n        case sorted: return 1\ndef f(x): return sorted(x)\n", {"4 sorted"}},
      {"if 0:\n    sorted = 1\ndef f(x): return sorted(x)\n", {"3 sorted"}},
      {"sorted = 1\ndel sorted\ndef f(x): return sorted(x)\n", {"3 sorted"}},
      {"sorted: object\ndef f(x): return sorted(x)\n", {"2 sorted"}},
      {"q = sorted\nsorted = None\n", {"1 sorted"}},
      {"import os\ndef f(x, o=os): o.system('ls')\n", {"2 os.system"}},
      {"def f(a):\n    for max in a: pass\n    return max\n", {}},
      {"a, b = 1, 2\nif a > b: max = a\nelse: max = b\nprint(max)\n", {}},
      {"def f(x):\n    def g(os): return os.system\n    return g\n", {}},
      {"class A:\n    max: int\n    def m(self): return self.max\n", {}},
      {"def f(x):\n    def g():\n        return max\n    max = x\n    return g()\n", {}},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(uses(*judge, "python", one.source, names), one.found) << one.source;
  }
}

TEST(ForbiddenApi, PythonNamesAreFoundInLiteralsAndModules) {
  PLUMB_JUDGE_OR_SKIP(judge);
  const std::vector<std::string> names = {"sorted", ".sort", "os.system", "heapq", "time"};
  const struct {
    const char* source;
    Found found;
  } cases[] = {
      {"from builtins import sorted as q\nq([])\n", {"1 sorted", "2 sorted"}},
      {"getattr([], 'sort')()\n", {"1 .sort"}},
      {"getattr([], 'so' + 'rt')()\n", {"1 .sort"}},
      {"vars(list)['sort']([])\nlist.__dict__['sort']([])\n", {"1 .sort", "2 .sort"}},
      {"[].__getattribute__('sort')()\n", {"1 .sort"}},
      {"import operator\noperator.methodcaller('sort')([])\n", {"2 .sort"}},
      {"from operator import attrgetter as a\na('sort')([])()\n", {"2 .sort"}},
      {"__import__(name='heapq')\n", {"1 heapq"}},
      {"import importlib\nimportlib.import_module(name='heapq')\n", {"2 heapq"}},
      {"import sys\nsys.modules.get('os').system('ls')\n", {"2 os.system"}},
      {"import sys\nsys.modules['os'].system('ls')\n", {"2 os.system"}},
      {"import os\nglobals()['os'].system('ls')\n", {"2 os.system"}},
      {"globals()['__builtins__']['sorted']([])\n", {"1 sorted"}},
      {"import posix\nposix.system('ls')\n", {"2 os.system"}},
      {"import shutil\nshutil.os.system('ls')\n", {"2 os.system"}},
      {"import os.path as p\np.os.system('ls')\n", {"2 os.system"}},
      {"import _heapq\n", {"1 heapq"}},
      // What is only called alike.
      {"from datetime import time\ntime(1, 2)\n", {}},
      {"d = {}\nd.get('sorted')\nd['sort'] = d.pop('sort', 1)\n", {}},
      {"import os\nos.path.join('a')\n", {}},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(uses(*judge, "python", one.source, names), one.found) << one.source;
  }
}

std::string repeated(const char* text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) {
    out += text;
  }
  return out;
}

TEST(ForbiddenApi, DeepAndLongPythonIsRead) {
  PLUMB_JUDGE_OR_SKIP(judge);
  const Found used{"1 sorted"};
  const std::string use = "f = sorted\nz = lambda a: ";
  EXPECT_EQ(uses(*judge, "python", (use + repeated("-", 1500) + "a\n").c_str(), {"sorted"}), used);
  EXPECT_EQ(uses(*judge, "python", (use + "a" + repeated("+a", 990) + "\n").c_str(), {"sorted"}), used);
  const std::string chain = "def f(x):\n    if x == 0: return 0\n" + repeated("    elif x == 1: return 1\n", 900);
  EXPECT_EQ(uses(*judge, "python", (chain + "    return sorted(x)\n").c_str(), {"sorted"}), Found{"903 sorted"});
  // The first use of each name is never left out.
  const Found many = uses(*judge, "python", (repeated("eval\n", 5000) + "sorted\n").c_str(), {"sorted", "eval"});
  EXPECT_EQ(many.size(), 100U);
  EXPECT_EQ(many.front(), "1 eval");
}

TEST(ForbiddenApi, CppNamesAreWhatTheyMean) {
  PLUMB_JUDGE_OR_SKIP(judge);
  if (judge->clang_reader("c", "").empty()) {
    GTEST_SKIP() << "plumb was built without clang's libraries";
  }
  const std::vector<std::string> names = {"std::system", "std::sort", "std::vector::push_back",
                                          "std::regex",  "std::set",  "goto_next"};
  const struct {
    const char* language;
    const char* source;
    Found found;
  } cases[] = {
      {"cpp", "#include <cstdlib>\nint f() { return std::system(\"ls\"); }\n", {"2 std::system"}},
      {"cpp", "#include <stdlib.h>\nint f() { return system(\"ls\"); }\n", {"2 std::system"}},
      {"c", "#include <stdlib.h>\nint f(void) { return system(\"ls\"); }\n", {"2 std::system"}},
      {"cpp",
       "extern \"C\" int system(const char*);\nint f() { auto p = &system; return p(\"ls\"); }\n",
       {"2 std::system"}},
      {"cpp", "extern \"C\" int other(const char*) __asm__(\"system\");\n", {"1 std::system"}},
      {"cpp", "#include <cstdlib>\n#define RUN std::sys##tem\nint f() { return RUN(\"ls\"); }\n", {"3 std::system"}},
      {"cpp",
       "#include <algorithm>\n#include <vector>\nusing namespace std;\nvoid f(vector<int>& v) {\n  sort(v.begin(), "
       "v.end());\n  v.push_back(1);\n}\n",
       {"5 std::sort", "6 std::vector::push_back"}},
      {"cpp",
       "#include <algorithm>\ntemplate <typename T>\nvoid f(T& v) {\n  std::sort(v.begin(), v.end());\n}\n",
       {"4 std::sort"}},
      {"cpp", "#include <regex>\nusing R = std::regex;\n", {"2 std::regex"}},
      {"cpp",
       "#include <algorithm>\n#include <vector>\ntemplate <class C>\nC f(C x) {\n  sort(x.begin(), x.end());\n  return "
       "x;\n}\n",
       {"5 std::sort"}},
      {"cpp",
       "#include <algorithm>\n#include <vector>\nvoid sort(int);\ntemplate <class C>\nvoid g(C& c) { sort(c.begin(), "
       "c.end()); }\nvoid f(std::vector<int>& v) { g(v); }\n",
       {"5 std::sort"}},
      {"cpp", "#include <vector>\nvoid g(auto& v) { v.push_back(1); }\n", {"2 std::vector::push_back"}},
      {"cpp",
       "#include <vector>\ntemplate <class T>\nvoid g(T x) {\n  std::vector<T> v;\n  v.push_back(x);\n}\n",
       {"5 std::vector::push_back"}},
      {"cpp", "#include <set>\nint f() { std::set s{1, 2}; return *s.begin(); }\n", {"2 std::set"}},
      {"cpp",
       "#if __has_include(\"solution.cpp\") && !__has_include(\"main.sh\")\n#include <cstdlib>\nint f() { return "
       "std::system(\"ls\"); }\n#endif\n",
       {"3 std::system"}},
      {"cpp",
       "#include <cstdlib>\n#pragma clang __debug crash\n#pragma clang __debug llvm_fatal_error\n_Pragma(\"clang "
       "__debug "
       "parser_crash\") int f() { return std::system(\"ls\"); }\n",
       {"4 std::system"}},
      // Comments, texts, and what is only called alike.
      {"cpp", "// std::system\nconst char* s = \"std::sort(a)\";\n/* system() */\n", {}},
      {"cpp", "struct S { int system(int x) { return x; } };\nint f(S& s) { return s.system(1); }\n", {}},
      {"cpp", "namespace own { int sort(int x) { return x; } }\nint f() { return own::sort(1); }\n", {}},
      {"cpp",
       "#include <list>\ntemplate <class L>\nvoid g(L& l) { l.sort(); }\nvoid f(std::list<int>& l) { g(l); }\n",
       {}},
      {"cpp",
       "template <class T>\nstruct Own {\n  void push_back(T);\n  void g(T x) { push_back(x), this->push_back(x); "
       "}\n};\n"
       "template <class T>\nvoid g(Own<T>& o, T x) { o.push_back(x); }\nvoid f(Own<int>& o) { g(o, 1); }\n",
       {}},
      {"cpp", "int goto_next(int x) { return x; }\nint f() { return goto_next(1); }\n", {}},
      {"cpp",
       "#include <algorithm>\n#include <vector>\nvoid f(std::vector<int>& v) { std::stable_sort(v.begin(), v.end()); "
       "}\n",
       {}},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(uses(*judge, one.language, one.source, names), one.found) << one.source;
  }
  // A short name is whatever is called so outside of the candidate.
  EXPECT_EQ(uses(*judge, "cpp", "#include <algorithm>\nint f(int* p) { std::sort(p, p + 3); return *p; }\n", {"sort"}),
            Found{"2 sort"});
  EXPECT_EQ(uses(*judge, "cpp", "int sort(int x) { return x; }\nint f() { return sort(1); }\n", {"sort"}), Found{});
}

TEST(ForbiddenApi, IsPartOfTheEvidence) {
  PLUMB_JUDGE_OR_SKIP(judge);
  Submission submission = test::add_submission(Language::kPython, "def add(a, b):\n    return eval('a + b')\n");
  EXPECT_TRUE(judge->judge(submission).findings.empty());
  const std::string key = submission_key(submission);
  submission.forbidden = {"eval"};
  EXPECT_NE(submission_key(submission), key);
  const Evidence evidence = judge->judge(submission);
  EXPECT_EQ(evidence.verdict, Verdict::kAC);  // a finding is no verdict
  ASSERT_EQ(evidence.findings.size(), 1U);
  EXPECT_EQ(evidence.findings[0].line, 2);
  const auto stored = evidence_from_stored_json(stored_json(evidence));
  ASSERT_TRUE(stored) << stored.error().message;
  ASSERT_EQ(stored->findings.size(), 1U);
  EXPECT_EQ(stored->findings[0].message, "eval");
  EXPECT_EQ(stored->findings[0].cwe, 676);

  // A text that breaks the tool does not choose what becomes of it: the verdict stays, and it is not free of names.
  submission.source = "def add(a, b):\n    return a + b\nx = " + repeated("-", 7000) + "1\n";
  const Evidence broken = judge->judge(submission);
  EXPECT_NE(broken.verdict, Verdict::kSE) << broken.fault;
  ASSERT_EQ(broken.findings.size(), 1U);
  EXPECT_EQ(broken.findings[0].rule, "unreadable");
  EXPECT_EQ(broken.findings[0].severity, "high");

  // Where a language is not read at all it is a fault of ours: nobody knows whether a name was used.
  Submission bash;
  bash.program_language = "bash";
  bash.source = "echo 5";
  bash.program_tests.push_back({"", "5\n"});
  bash.forbidden = {"eval"};
  const Evidence unread = judge->judge(bash);
  EXPECT_EQ(unread.verdict, Verdict::kSE);
  EXPECT_NE(unread.fault.find("python, c and cpp, not in bash"), std::string::npos) << unread.fault;
}

}  // namespace
}  // namespace plumb
