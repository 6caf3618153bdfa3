// Whole programs: verdicts of every kind, checkers, and the languages of this machine.

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "judge_support.h"

namespace plumb {
namespace {

using test::describe;

Submission sum_program(const std::string& language, const std::string& source) {
  Submission submission;
  submission.program_language = language;
  submission.source = source;
  submission.program_tests = {{"2 3\n", "5\n"}, {"-7 4\n", "-3\n"}};
  return submission;
}

struct Case {
  const char* source;
  Verdict verdict;
  const char* words;  // in the first diagnostic; empty where there need be none
};

TEST(Programs, EveryVerdictOfAPythonProgram) {
  PLUMB_JUDGE_OR_SKIP(judge);
  const Case cases[] = {
      {"a, b = map(int, input().split())\nprint(a + b)", Verdict::kAC, ""},
      {"a, b = map(int, input().split())\nprint(a - b)", Verdict::kWA, "test 1: other output"},
      {"a, b = map(int, input().split())\nprint(abs(a + b))", Verdict::kWA, "test 2: other output"},
      {"print(5)\nraise ValueError('too bad')", Verdict::kRE, "ValueError: too bad"},
      {"print(5)\nimport sys\nsys.exit(3)", Verdict::kRE, "exit code 3"},
      {"print(5)\nimport os, signal\nos.kill(os.getpid(), signal.SIGKILL)", Verdict::kRE, "signal 9"},
      {"print('x' * 100000)", Verdict::kOLE, "printed more"},
      {"import sys\nsys.stderr.write('x' * 100000)\nprint(5)", Verdict::kOLE, "printed more"},
      {"while True:\n    pass", Verdict::kTLE, "more time"},
      {"x = b'x' * (400 << 20)\nprint(5)", Verdict::kMLE, "more memory"},
      {"x = bytearray(1 << 46)\nprint(5)", Verdict::kMLE, "MemoryError"},
      {"raise MemoryError('by hand')", Verdict::kMLE, "MemoryError: by hand"},
      {"try:\n    x = bytearray(1 << 46)\nexcept MemoryError:\n    raise ValueError('no')", Verdict::kRE,
       "ValueError: no"},
      {"import sys\nprint('MemoryError', file=sys.stderr)\nprint(sum(map(int, input().split())))", Verdict::kAC, ""},
      {"print(5", Verdict::kCE, ""},
      // Where several hold: the output's limit goes before the exit code, memory before both.
      {"print('x' * 100000)\nraise ValueError", Verdict::kOLE, "printed more"},
  };
  for (const Case& one : cases) {
    Submission submission = sum_program("python", one.source);
    submission.limits.cpu_s = 0.3;
    const Evidence evidence = judge->judge(submission);
    EXPECT_EQ(evidence.verdict, one.verdict) << one.source << "\n" << describe(evidence);
    EXPECT_EQ(evidence.total, 2);
    const std::string words = evidence.diagnostics.empty() ? "" : evidence.diagnostics[0].message;
    EXPECT_NE(words.find(one.words), std::string::npos) << one.source << "\n" << describe(evidence);
  }
}

TEST(Programs, CppProgramsAreGuardedLikeFunctions) {
  PLUMB_JUDGE_OR_SKIP(judge);
  const Case cases[] = {
      {"#include <iostream>\nint main() { int a, b; std::cin >> a >> b; std::cout << a + b; }", Verdict::kAC, ""},
      {"int main() { int a, b; std::cin >> a >> b; std::vector<int> v(1); std::cout << a + b + v[a]; }", Verdict::kRE,
       "signal"},
      {"int f(int a) { a += 1; }\nint main() { return f(1); }", Verdict::kCE, ""},
      {"int main() { int a = INT_MAX; std::cin.get(); a += 1 + (a < 0); std::cout << a; }", Verdict::kRE, "trapped"},
      // The library's templates hold no checks of the compiler's, but for those of <numeric>.
      {"int main() { std::vector<int> v(2, INT_MAX); std::cout << std::accumulate(v.begin(), v.end(), 0); }",
       Verdict::kRE, "trapped"},
      {"int main() { std::vector<int> v(2); std::size_t n = v.size(); std::cout << v[n]; }", Verdict::kRE, "Assert"},
      {"int main() { std::vector<char> v(std::size_t{1} << 46); std::cout << v[5]; }", Verdict::kMLE, "bad_alloc"},
      {"int add(int, int) { return 0; }", Verdict::kCE, "main"},
  };
  for (const Case& one : cases) {
    const Evidence evidence = judge->judge(sum_program("cpp", one.source));
    EXPECT_EQ(evidence.verdict, one.verdict) << one.source << "\n" << describe(evidence);
    const std::string words = evidence.diagnostics.empty() ? "" : evidence.diagnostics[0].message;
    EXPECT_NE(words.find(one.words), std::string::npos) << one.source << "\n" << describe(evidence);
  }
}

// The same task in every language whose tools are here; a wrong and a broken program must not pass.
TEST(Programs, EveryInstalledLanguageTellsRightFromWrong) {
  PLUMB_JUDGE_OR_SKIP(judge);
  struct Sample {
    const char* language;
    std::string right;
  };
  const Sample samples[] = {
      {"c",
       "#include <stdio.h>\nint main(void) { long a, b; if (scanf(\"%ld %ld\", &a, &b) != 2) return 1; "
       "printf(\"%ld\\n\", a + b); return 0; }"},
      {"bash", "read -r a b\necho $((a + b))"},
      {"javascript",
       "const [a, b] = require('fs').readFileSync(0, 'utf8').split(' ').map(Number);\nconsole.log(a + b);"},
      {"java",
       "import java.util.*;\npublic class Main { public static void main(String[] x) { Scanner s = new "
       "Scanner(System.in); System.out.println(s.nextInt() + s.nextInt()); } }"},
      {"rust",
       "use std::io::*;\nfn main() { let mut s = String::new(); stdin().read_to_string(&mut s).unwrap(); let v: "
       "Vec<i64> = s.split_whitespace().map(|w| w.parse().unwrap()).collect(); println!(\"{}\", v[0] + v[1]); }"},
      {"go", "package main\nimport \"fmt\"\nfunc main() { var a, b int; fmt.Scan(&a, &b); fmt.Println(a + b) }"},
      {"typescript",
       "declare const require: any;\nconst v: number[] = require('fs').readFileSync(0, 'utf8').split(' "
       "').map(Number);\nconsole.log(v[0] + v[1]);"},
  };
  ASSERT_GE(judge->languages().size(), 9U);
  std::vector<Submission> submissions;
  for (const Sample& sample : samples) {
    ASSERT_TRUE(judge->languages().contains(sample.language)) << sample.language;
    if (judge->languages().at(sample.language).missing.empty()) {
      std::string wrong = sample.right;
      wrong.replace(wrong.rfind("+ "), 2, "- ");
      for (const std::string& source : {sample.right, wrong, sample.right + "\n)}}"}) {
        submissions.push_back(sum_program(sample.language, source));
        submissions.back().limits.cpu_s = 5;
      }
    }
  }
  const std::vector<Evidence> evidence = judge->judge_all(submissions);
  for (std::size_t i = 0; i < evidence.size(); ++i) {
    const Verdict wanted = i % 3 == 0 ? Verdict::kAC : i % 3 == 1 ? Verdict::kWA : Verdict::kCE;
    EXPECT_EQ(evidence[i].verdict, wanted) << submissions[i].program_language << " " << describe(evidence[i]);
  }
}

// A runtime of its own: what it takes to start is not the program's, and its tools are warm before the first one.
TEST(Programs, ALanguageFileMayAllowStartingTimeAndWarmUp) {
  const std::string folder = testing::TempDir() + "plumb_languages_of_programs_" + std::to_string(getpid());
  std::filesystem::create_directories(folder);
  const auto language = [&](const std::string& name, const std::string& more) {
    std::ofstream(folder + "/" + name + ".toml")
        << "name = \"" << name << "\"\nsource = \"main.sh\"\nneeds = [\"/usr/bin/bash\"]\n"
        << "run = [\"/usr/bin/bash\", \"main.sh\"]\nenvironment = [\"PATH=/usr/bin:/bin\"]\n"
        << more;
  };
  language("slow", "extra_cpu_s = 2.0\nwarm_up = \"exit 1\"\n");
  language("plain", "");
  setenv("PLUMB_LANGUAGES", folder.c_str(), 1);
  auto judge = start_judge(test::judge_options());
  unsetenv("PLUMB_LANGUAGES");
  std::filesystem::remove_all(folder);
  if (!judge) {
    GTEST_SKIP() << judge.error().message;
  }
  const std::string spin = "read -r a b; for ((i = 0; i < 600000; ++i)); do :; done; echo $((a + b))";
  for (const auto& [name, verdict] : {std::pair{"slow", Verdict::kAC}, std::pair{"plain", Verdict::kTLE}}) {
    Submission submission = sum_program(name, spin);
    submission.program_tests.resize(1);
    submission.limits.cpu_s = 0.2;
    submission.limits.wall_s = 5;
    const Evidence evidence = (*judge)->judge(submission);
    EXPECT_EQ(evidence.verdict, verdict) << name << " " << describe(evidence);
  }
}

TEST(Programs, AskTheAuthorsChecker) {
  PLUMB_JUDGE_OR_SKIP(judge);
  Submission submission = sum_program("python", "a, b = map(int, input().split())\nprint(a + b + 1)");
  submission.checker.kind = "program";
  submission.checker.language = "python";
  submission.checker.source =
      "import sys\ni, o, a = (open(n).read() for n in sys.argv[1:4])\n"
      "sys.exit(0 if int(o) - sum(map(int, i.split())) == 1 and a else 1)";
  EXPECT_EQ(judge->judge(submission).verdict, Verdict::kAC);
  submission.source = "print(5)";
  const Evidence wrong = judge->judge(submission);
  EXPECT_EQ(wrong.verdict, Verdict::kWA) << describe(wrong);
  submission.checker.source = "raise SystemExit(4)";
  EXPECT_EQ(judge->judge(submission).verdict, Verdict::kPE) << "right, and more than that";
  submission.checker.source = "raise SystemExit(3)";
  const Evidence broken = judge->judge(submission);
  EXPECT_EQ(broken.verdict, Verdict::kSE) << describe(broken);
}

// What breaks a limit takes its session with it. The tests after it are tests all the same.
TEST(Programs, TestsAfterABrokenLimitAreRun) {
  PLUMB_JUDGE_OR_SKIP(judge);
  Submission submission;
  submission.program_language = "python";
  submission.source =
      "import time\nword = input()\nwhile word == 'spin':\n    pass\nif word == 'sleep':\n    time.sleep(60)\n"
      "while word == 'flood':\n    print('x' * 10000)\nprint(word)\n";
  for (const char* word : {"a", "spin", "b", "flood", "c", "sleep", "d"}) {
    submission.program_tests.push_back({std::string(word) + "\n", std::string(word) + "\n"});
  }
  submission.limits.cpu_s = 0.5;
  submission.limits.wall_s = 1.5;
  submission.stop_at_first_failure = false;
  const Evidence evidence = judge->judge(submission);
  EXPECT_EQ(evidence.tests, (std::vector<Verdict>{Verdict::kAC, Verdict::kTLE, Verdict::kAC, Verdict::kOLE,
                                                  Verdict::kAC, Verdict::kTLE, Verdict::kAC}))
      << describe(evidence);
  EXPECT_EQ(evidence.verdict, Verdict::kTLE);
}

// A program that is not there any more for its next test is the program's doing.
TEST(Programs, OneThatRemovesItselfFailsItsNextTest) {
  PLUMB_JUDGE_OR_SKIP(judge);
  for (const char* removes : {"unlink(\"program\")", "rename(\"program\", \"q\"); mkdir(\"program\", 0755)",
                              "chmod(\"program\", 0)", "truncate(\"program\", 0)"}) {
    const Evidence evidence = judge->judge(sum_program(
        "cpp",
        "#include <unistd.h>\n#include <sys/stat.h>\nint main() { int a, b; std::cin >> a >> b; std::cout << a + b; " +
            std::string(removes) + "; }"));
    EXPECT_NE(evidence.verdict, Verdict::kSE) << removes << describe(evidence);
    EXPECT_EQ(evidence.tests[0], Verdict::kAC) << removes << describe(evidence);
  }
}

TEST(Programs, WhatCannotBeJudgedIsOurFault) {
  PLUMB_JUDGE_OR_SKIP(judge);
  Submission submission = sum_program("cobol", "x");
  EXPECT_NE(judge->judge(submission).fault.find("no language file for cobol"), std::string::npos);
  submission = sum_program("python", "print(5)");
  submission.checker.kind = "fuzzy";
  EXPECT_NE(judge->judge(submission).fault.find("there is no checker fuzzy"), std::string::npos);
  submission.checker = {};
  submission.program_tests.clear();
  EXPECT_EQ(judge->judge(submission).verdict, Verdict::kSE);
}

// The interactor thinks of a number (its input); the candidate may ask twelve times.
constexpr const char* kGuessing = R"PY(
import sys
number = int(open(sys.argv[1]).read())
for _ in range(12):
    line = sys.stdin.readline()
    if not line:
        sys.stderr.write("it stopped asking")
        sys.exit(1)
    guess = int(line)
    print("=" if guess == number else "<" if number < guess else ">", flush=True)
    if guess == number:
        sys.exit(0)
sys.stderr.write("too many guesses")
sys.exit(1)
)PY";

// Whoever writes to a program that has gone must not die of it: the interactor would be blamed for what the candidate
// did, or the candidate for having one more thing to say to an interactor that is satisfied.
TEST(Programs, WritingToWhoHasGoneIsNoFault) {
  PLUMB_JUDGE_OR_SKIP(judge);
  Submission submission;
  submission.program_language = "python";
  submission.source = "print(5)\n";
  submission.checker.kind = "interactive";
  submission.checker.language = "python";
  submission.checker.source =
      "import sys, time\nsys.stdin.readline()\ntime.sleep(0.5)\nprint('x', flush=True)\nprint('x' * 200000, "
      "flush=True)\n"
      "sys.exit(1 if sys.stdin.readline() == '' else 0)\n";
  submission.program_tests = {{"", ""}};
  const Evidence gone = judge->judge(submission);
  EXPECT_EQ(gone.verdict, Verdict::kWA) << describe(gone);
  submission.source = "import time\nprint(5, flush=True)\ntime.sleep(0.5)\nprint('bye' * 100000, flush=True)\n";
  submission.checker.source = "import sys\nsys.exit(0 if sys.stdin.readline() else 1)\n";
  const Evidence late = judge->judge(submission);
  EXPECT_EQ(late.verdict, Verdict::kAC) << describe(late);
}

TEST(Programs, AnInteractorTalksWithTheCandidate) {
  PLUMB_JUDGE_OR_SKIP(judge);
  const auto judged = [&](const std::string& language, const std::string& source) {
    Submission submission;
    submission.program_language = language;
    submission.source = source;
    submission.checker.kind = "interactive";
    submission.checker.language = "python";
    submission.checker.source = kGuessing;
    submission.program_tests = {{"700", ""}, {"1", ""}};
    submission.limits.cpu_s = 1;
    submission.limits.wall_s = 2;
    return judge->judge(submission);
  };
  const std::string bisect =
      "low, high = 1, 1000\nwhile True:\n    middle = (low + high) // 2\n    print(middle, flush=True)\n    word = "
      "input()\n    if word == '=': break\n    low, high = (low, middle - 1) if word == '<' else (middle + 1, high)\n";
  const Evidence right = judged("python", bisect);
  EXPECT_EQ(right.verdict, Verdict::kAC) << describe(right);
  EXPECT_EQ(right.passed, 2);
  const Evidence cpp =
      judged("cpp",
             "int main() {\n  int low = 1, high = 1000;\n  for (;;) {\n    int middle = (low + high) / "
             "2;\n    std::cout << middle << std::endl;\n    std::string word;\n    std::cin >> word;\n"
             "    if (word == \"=\") return 0;\n    (word == \"<\" ? high : low) = word == \"<\" ? middle "
             "- 1 : middle + 1;\n  }\n}");
  EXPECT_EQ(cpp.verdict, Verdict::kAC) << describe(cpp);
  const std::pair<const char*, Verdict> others[] = {
      {"for i in range(20):\n    print(i + 100, flush=True)\n    input()\n", Verdict::kWA},  // it gives up first
      {"print(5, flush=True)\n", Verdict::kWA},
      {"print(5, flush=True)\ninput()\nraise SystemExit(3)\n", Verdict::kWA},  // what the interactor saw comes first
      {"import os\nos._exit(0)\n", Verdict::kWA},
      {"input()\n", Verdict::kTLE},  // both wait
      {"while True: pass\n", Verdict::kTLE},
      {"x = [0] * 10 ** 9\n", Verdict::kMLE},
      {"def f(:\n", Verdict::kCE},
  };
  for (const auto& [source, verdict] : others) {
    const Evidence evidence = judged("python", source);
    EXPECT_EQ(evidence.verdict, verdict) << source << describe(evidence);
    EXPECT_EQ(evidence.passed, 0) << source;
  }
  const Evidence broken = judged("python", "print('x', flush=True)\ninput()\n");  // the interactor does not expect that
  EXPECT_EQ(broken.verdict, Verdict::kWA) << describe(broken);  // Python ends with 1, as testlib's own refusal does
}

}  // namespace
}  // namespace plumb
