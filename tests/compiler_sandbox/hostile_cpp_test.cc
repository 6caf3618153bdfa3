// C++ programs that attack their judge when they run, and sources that attack the compiler.

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
constexpr Verdict kCE = Verdict::kCE;

void expect_contained(Judge& judge, const std::vector<Attack>& attacks) {
  std::vector<Submission> submissions;
  for (const Attack& attack : attacks) {
    submissions.push_back(add_submission(Language::kCpp, attack.source));
    submissions.back().limits.compile_cpu_s = 1;
  }
  const std::vector<Evidence> evidence = judge.judge_all(submissions);
  for (std::size_t i = 0; i < attacks.size(); ++i) {
    const auto& accepted = attacks[i].accepted;
    EXPECT_NE(std::find(accepted.begin(), accepted.end(), evidence[i].verdict), accepted.end())
        << attacks[i].name << ": " << describe(evidence[i]);
    EXPECT_LT(evidence[i].passed, evidence[i].total) << attacks[i].name;
  }
}

TEST(HostileCpp, NothingBesidesTheAnswerCounts) {
  PLUMB_JUDGE_OR_SKIP(judge);
  expect_contained(
      *judge,
      {
          {"exit 0 before main",
           "struct S { S() { std::_Exit(0); } } s;\nint add(int a, int b) { return a + b; }",
           {kRE}},
          {"exit 0 in the call", "int add(int, int) { std::exit(0); }", {kRE}},
          {"every signal turned into exit 0",
           "#include <csignal>\n#include <unistd.h>\nvoid good(int) { _exit(0); }\nstruct S { S() { for (int i = 1; i "
           "< 32; ++i) "
           "std::signal(i, good); } } s;\nint add(int a, int b) { volatile int* p = nullptr; return *p + a + b; }",
           {kRE}},
          {"libc replaced",
           "#include <unistd.h>\nextern \"C\" int memcmp(const void*, const void*, size_t) noexcept { return 0; }\n"
           "extern \"C\" int strcmp(const char*, const char*) noexcept { return 0; }\n"
           "extern \"C\" void exit(int) noexcept { _exit(0); }\nextern \"C\" void abort() noexcept { _exit(0); }\n"
           "extern \"C\" ssize_t write(int, const void*, size_t n) { return n; }\nint add(int, int) { return 0; }",
           {kWA}},
          {"asserts and main redefined",
           "#define NDEBUG\n#undef assert\n#define assert(x)\n#define abort() exit(0)\nint add(int, int) { return 0; "
           "}\n"
           "#define main other_main\nint main() { return 0; }",
           {kWA}},
          {"an own entry for the driver",
           "extern \"C\" int __wrap_main() { return 0; }\nint add(int a, int b) { return a + b; }",
           {kCE}},
          {"the driver's functions redefined",
           "namespace plumb_driver { std::string answer(const std::string&) { return \"i5;\"; } }\n"
           "int add(int, int) { return 0; }",
           {kCE, kWA}},
          {"the call answered by hand, wrongly, with its nonce",
           "#include <unistd.h>\nstruct S { S() { char t[256]; ssize_t n = read(3, t, sizeof t); if (n < 17) return; "
           "std::string f(t, 16); f += \"V 3\\ni9;\"; (void)!write(3, f.data(), f.size()); } } s;\nint add(int, int) { "
           "return 0; }",
           {kWA, kRE}},
          {"markers printed, channel flooded",
           "#include <unistd.h>\nint add(int a, int b) { puts(\"ALL TESTS PASSED\"); (void)!write(3, "
           "\"PASSED\\nOK\\n\", 10); "
           "return a + b; }",
           {kRE}},
          {"a result that was not returned",
           "int add(int a, int b) { asm volatile(\"\" : : \"r\"(a + b)); __builtin_unreachable(); }",
           {kRE}},
          {"symbol bound by hand",
           "extern \"C\" int cheat(int, int) __asm__(\"plumb_candidate\");\nint cheat(int, int) { return 0; }",
           {kWA, kCE}},
          {"numbers of the x32 table",
           "#include <unistd.h>\nint add(int a, int b) { syscall(0x40000000 + 39); return a + b; }",
           {kRE}},
          {"calls of 32-bit programs",
           "int add(int a, int b) { int r; asm volatile(\"int $0x80\" : \"=a\"(r) : \"a\"(20) : \"memory\"); return a "
           "+ b; }",
           {kRE}},
      });
}

TEST(HostileCpp, TheCompilerReadsNothingOfThisMachine) {
  PLUMB_JUDGE_OR_SKIP(judge);
  expect_contained(
      *judge,
      {
          {"accounts", "#include \"/etc/passwd\"\n", {kCE}},
          {"accounts by raw bytes",
           "asm(\".globl leak\\nleak: .incbin \\\"/etc/passwd\\\"\\n\");\nint add(int a, int b) { return a + b; }",
           {kCE}},
          {"an environment", "#include \"/proc/self/environ\"\n", {kCE}},
          {"this repository", "#include \"" PLUMB_SOURCE_DIR "/README.md\"\n", {kCE}},
          {"endless devices", "#include \"/dev/zero\"\n", {kCE}},
          {"random devices", "#include \"/dev/urandom\"\n", {kCE}},
          {"its own input", "#include \"/dev/stdin\"\nint add(int, int) { return 0; }", {kCE}},
          {"itself", "#include \"solution.cpp\"\n", {kCE}},
          {"plug-ins and options by pragma",
           "#pragma GCC optimize(\"-fplugin=/tmp/x.so\")\n#pragma GCC dependency \"/etc/passwd\"\nint add(int, int) { "
           "return 0; }",
           {kCE, kWA}},
          {"lines of another file quoted", "#line 1 \"/etc/passwd\"\nint add(int, int) { return undeclared; }", {kCE}},
      });
  const Evidence seen = judge->judge(
      add_submission(Language::kCpp,
                     "#if __has_include(\"/etc/passwd\") || __has_include(\"/root\") || __has_include(\"/home\") || "
                     "__has_include(\"/proc/1\") || __has_include(\"" PLUMB_SOURCE_DIR "\")\n#error visible\n#endif\n"
                     "int add(int a, int b) { return a + b; }"));
  EXPECT_EQ(seen.verdict, Verdict::kAC) << describe(seen);
}

TEST(HostileCpp, CompileBombsAreCompileErrors) {
  PLUMB_JUDGE_OR_SKIP(judge);
  expect_contained(
      *judge,
      {
          {"templates without end",
           "template <int N> struct T { using U = typename T<N + 1>::U; };\nT<0>::U x;",
           {kCE}},
          {"twice as many templates each time",
           "template <int N, int M> struct T { static const long v = T<N - 1, M * 2>::v + T<N - 1, M * 2 + 1>::v; };\n"
           "template <int M> struct T<0, M> { static const long v = M; };\nlong x = T<28, 1>::v;",
           {kCE}},
          {"constants that take minutes",
           "constexpr long f(long n) { long s = 0; for (long i = 0; i < 200000; ++i) s += i * n; return s; }\n"
           "template <long N> struct T { static constexpr long v = f(N) + T<N - 1>::v; };\n"
           "template <> struct T<0> { static constexpr long v = 0; };\nlong x = T<800>::v;",
           {kCE}},
          {"macros that double",
           "#define A(x) x x x x x x x x\n#define B(x) A(A(A(A(x))))\n#define C(x) B(B(x))\nint x = 0 C(+ 1);\n"
           "int add(int, int) { return 0; }",
           {kCE}},
          {"errors without end",
           "#define A(x) x##_0 = 1; x##_1 = \"\\033[31m\"; x##_2();\n#define B(x) A(x##0) A(x##1) A(x##2) A(x##3) "
           "A(x##4)\n"
           "#define C(x) B(x##0) B(x##1) B(x##2) B(x##3) B(x##4)\n#define D(x) C(x##0) C(x##1) C(x##2) C(x##3)\n"
           "int add(int, int) { D(q) D(r) D(s) return 0; }",
           {kCE}},
          {"two gigabytes of array",
           "char big[2000000000] = {1};\nint add(int a, int b) { return a + b + big[a] * 0; }",
           {kCE}},
          {"four gigabytes by the assembler",
           "asm(\".data\\n.fill 4000000000, 1, 0x41\\n.text\\n\");\nint add(int, int) { return 0; }",
           {kCE}},
      });
  std::string nested = "int add(int a, int b) { return ";
  nested += std::string(100000, '(') + "a" + std::string(100000, ')') + "; }";
  Submission deep = add_submission(Language::kCpp, nested);
  deep.limits.compile_cpu_s = 1;
  const Evidence evidence = judge->judge(deep);
  EXPECT_EQ(evidence.verdict, Verdict::kCE) << describe(evidence);
}

}  // namespace
}  // namespace plumb
