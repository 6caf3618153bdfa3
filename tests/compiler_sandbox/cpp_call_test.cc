// What may bear the name of the asked-for function in C++, what is said where nothing does, and sources that attack the
// text around them.

#include "compiler_sandbox/cpp_call.h"

#include <gtest/gtest.h>

#include "judge_support.h"

namespace plumb {
namespace {

using test::add_submission;
using test::describe;
using test::make_submission;

TEST(CppCall, WhateverCanBeCalledIsCalled) {
  PLUMB_JUDGE_OR_SKIP(judge);
  const char* sources[] = {
      "int add(int a, int b) { return a + b; }",
      "static int add(int a, int b) { return a + b; }",
      "inline int add(int a, int b) { return a + b; }",
      "constexpr int add(int a, int b) noexcept { return a + b; }",
      "extern \"C\" int add(int a, int b) { return a + b; }",
      "extern \"C\" {\nint add(int a, int b) { return a + b; }\n}",
      "auto add(int a, int b) { return a + b; }",
      "auto add(int a, int b) -> int { return a + b; }",
      "auto add = [](int a, int b) { return a + b; };",
      "const auto add = [](auto a, auto b) { return a + b; };",
      "std::function<int(int, int)> add = [](int a, int b) { return a + b; };",
      "using Sum = std::plus<int>;\nconstexpr Sum add;",
      "struct Sum { int operator()(int a, int b) const { return a + b; } };\nusing add = Sum;",
      "struct add { int operator()(int a, int b) { return a + b; } };",
      "namespace inner { int add(int a, int b) { return a + b; } }\nusing inner::add;",
      "namespace {\nint add(int a, int b) { return a + b; }\n}",
      "namespace inner { int add(int a, int b) { return a + b; } }\nusing namespace inner;",
      "\xEF\xBB\xBFint add(int a, int b) { return a + b; }",
      "template <class T>\nT add(T a, T b) { return a + b; }",
      "auto add(auto a, auto b) { return a + b; }",
      "const int& add(const int& a, int&& b) { static int sum; sum = a + b; return sum; }",
      "int add(int a, int b, int c = 0) { return a + b + c; }",
      "int add(int a) { return a; }\nint add(int a, int b) { return add(a) + b; }\nint add(std::string) { return 0; }",
      "class Solution {\npublic:\n  int add(int a, int b) { return a + b; }\n};",
      "struct Solution { static int add(int a, int b) { return a + b; } };",
      "using namespace std;\nclass Solution { int memory = 0; public: int add(int& a, int& b) { return memory += a + "
      "b; "
      "} };",
      "// not of class Solution\nint add(int a, int b) { return a + b; }",
      "template <class T> struct Solution {};\nint add(int a, int b) { return a + b; }",
      "struct Solution { int other() { return 0; } };\nint add(int a, int b) { return a + b; }",
      "int add(int a, int b) { return a + b; }\nint main() { return 1; }",
      "int add(int a, int b) { return a + b; } // a comment that ends the file \\",
      "#define A 1\n#define T 2\n#define a left\n#define call 3\n#define Result 4\n#define Absent 5\n#define run "
      "6\n#define P0 7\nint add(int a, int b) { return a + "
      "b; }",
      "#define return(x) return x\n#define auto const auto\nint add(int a, int b) { return(a + b); }",
      "#define add sum\nint add(int a, int b) { return a + b; }",
      "#include <bits/stdc++.h>\nstruct Solution { int add(int a, int b) { return a + b; } };",
  };
  for (const char* source : sources) {
    const Evidence evidence = judge->judge(add_submission(Language::kCpp, source));
    EXPECT_EQ(evidence.verdict, Verdict::kAC) << source << describe(evidence);
  }
}

TEST(CppCall, ArgumentsArriveHoweverTheyAreTaken) {
  PLUMB_JUDGE_OR_SKIP(judge);
  const FunctionSignature rotate{"rotate", {{"xs", "list[int]"}, {"k", "int"}}, "list[int]"};
  const char* sources[] = {
      "#include <vector>\nusing namespace std;\nclass Solution {\npublic:\n  vector<int> rotate(vector<int>& xs, int "
      "k) "
      "{ std::rotate(xs.begin(), xs.begin() + k, xs.end()); return xs; }\n};",
      "std::vector<int> rotate(std::vector<int> xs, int k) { std::rotate(xs.begin(), xs.begin() + k, xs.end()); return "
      "xs; }",
      "std::vector<int> rotate(std::vector<int>&& xs, int k) { std::rotate(xs.begin(), xs.begin() + k, xs.end()); "
      "return std::move(xs); }",
      "auto rotate = [](auto&& xs, auto k) { std::rotate(xs.begin(), xs.begin() + k, xs.end()); return xs; };",
  };
  for (const char* source : sources) {
    const Evidence evidence =
        judge->judge(make_submission(Language::kCpp, source, rotate, "[[[[1,2,3],1],[2,3,1]],[[[1,2],0],[1,2]]]"));
    EXPECT_EQ(evidence.verdict, Verdict::kAC) << source << describe(evidence);
  }
  const Evidence none = judge->judge(
      make_submission(Language::kCpp, "class Solution { public: void f() {} };", {"f", {}, "none"}, "[[[],null]]"));
  EXPECT_EQ(none.verdict, Verdict::kAC) << describe(none);
  const Evidence text =
      judge->judge(make_submission(Language::kCpp, "auto f = [](bool b) { return b ? \"yes\" : \"no\"; };",
                                   {"f", {{"b", "bool"}}, "str"}, R"([[[true],"yes"],[[false],"no"]])"));
  EXPECT_EQ(text.verdict, Verdict::kAC) << describe(text);
}

TEST(CppCall, EachCallHasAnObjectOfItsOwn) {
  PLUMB_JUDGE_OR_SKIP(judge);
  const Evidence evidence =
      judge->judge(make_submission(Language::kCpp, "class Solution { int n = 0; public: int f() { return ++n; } };",
                                   {"f", {}, "int"}, "[[[],1],[[],1]]"));
  EXPECT_EQ(evidence.verdict, Verdict::kAC) << describe(evidence);
}

struct Refusal {
  const char* source;
  const char* message;
  int line;
};

TEST(CppCall, ARefusalIsAboutTheProgram) {
  PLUMB_JUDGE_OR_SKIP(judge);
  const Refusal refusals[] = {
      {"int sum(int a, int b) { return a + b; }", "the program does not define int add(int a, int b)", 0},
      {"namespace n { int add(int a, int b) { return a + b; } }", "does not define int add(int a, int b)", 0},
      {"long add(int a, int b) { return a + b; }", "add does not return int", 0},
      {"int add(int a) { return a; }", "add cannot be called with (int, int)", 0},
      {"int add = 5;", "add cannot be called with (int, int)", 0},
      {"class Solution { int add(int a, int b) { return a + b; } };", "add cannot be called with (int, int)", 0},
      {"class Solution { public: long add(int a, int b) { return a + b; } };", "add does not return int", 0},
      {"class Solution { public: int sum(int a, int b) { return a + b; } };", "add", 0},
      {"\nint add(int a, int b) {\n  return a + b;\n\n", "expected '}'", 3},
      {"\nnamespace n {\nint add(int a, int b) { return a + b; }\n", "expected '}'", 3},
      {"auto add(auto a, auto b) {\n  return a.size(); }", "is ", 2},
  };
  for (const Refusal& one : refusals) {
    const Evidence evidence = judge->judge(add_submission(Language::kCpp, one.source));
    EXPECT_EQ(evidence.verdict, Verdict::kCE) << one.source << describe(evidence);
    ASSERT_FALSE(evidence.diagnostics.empty());
    EXPECT_NE(evidence.diagnostics[0].message.find(one.message), std::string::npos) << describe(evidence);
    EXPECT_EQ(evidence.diagnostics[0].line, one.line) << describe(evidence);
    for (const Diagnostic& diagnostic : evidence.diagnostics) {
      EXPECT_EQ((diagnostic.message + diagnostic.file).find("plumb"), std::string::npos) << describe(evidence);
    }
  }
}

// None of these adds.
TEST(CppCall, TheTextAroundCannotBeTurned) {
  PLUMB_JUDGE_OR_SKIP(judge);
  const std::string wrong = "int add(int a, int) { return a; }\n";
  const std::string sources[] = {
      wrong + "#if 0\n",
      wrong + "const char* rest = R\"(\n",
      wrong + "const char* rest = R\"plumb_call(\n",
      wrong + "/*\n",
      wrong + "#define plumb_call other\n",
      wrong + "#define plumb_Call other\n",
      wrong + "#define plumb_candidate other\n",
      wrong + "#define ::\n",
      wrong + "#define return return 0 *\n#define static_cast\n",
      wrong + "#define requires\n#define template\n#define struct union\n",
      wrong + "#define add(a, b) 5\n",
      wrong + "#define std other\n",
      wrong + "#pragma GCC poison plumb_call\n",
      wrong + "struct plumb_Call { template <class... T> static int plumb_call(T...) { return 5; } };\n",
      wrong + "int plumb_candidate(int, int) { return 5; }\n",
      wrong + "namespace plumb_call { template <class C> int run(int&, int&) { return 5; } }\n",
      wrong + "namespace plumb_absent { int add(int, int) { return 5; } }\n",
      wrong + "namespace other {\n",
      wrong + "int rest() { return 5;\n",
      wrong + "template <class T>\n",
      wrong + "#line 1 \"plumb_call\"\nint rest = nothing;\n",
      wrong + "asm(\".globl plumb_candidate\\nplumb_candidate: mov $5, %eax\\n ret\\n\");\n",
      wrong + "#define main other\nextern \"C\" int __wrap_main() { return 0; }\n",
      "struct Solution { Solution() { std::exit(0); } int add(int a, int b) { return a + b; } };\n",
      "class Solution { public: int add(int a, int) { return a; } };\n#define Solution Other\n",
      "struct R { operator int() const { return 5; } };\nR add(int, int) { return {}; }\n",
      "#define add(a, b) 5\n",
      "using namespace std;\n",
      "",
  };
  for (const std::string& source : sources) {
    Submission submission = add_submission(Language::kCpp, source);
    submission.stop_at_first_failure = true;
    const Evidence evidence = judge->judge(submission);
    EXPECT_NE(evidence.verdict, Verdict::kAC) << source << describe(evidence);
    EXPECT_NE(evidence.verdict, Verdict::kSE) << source << describe(evidence);
    EXPECT_FALSE(evidence.diagnostics.empty()) << source;
  }
  // The library's functions are not the program's, unless it says so.
  const FunctionSignature gcd{"gcd", {{"a", "int"}, {"b", "int"}}, "int"};
  const auto verdict = [&](const char* source) {
    return judge->judge(make_submission(Language::kCpp, source, gcd, "[[[12,18],6]]")).verdict;
  };
  EXPECT_EQ(verdict("using namespace std;"), Verdict::kCE);
  EXPECT_EQ(verdict("using std::gcd;"), Verdict::kAC);
  EXPECT_EQ(verdict("using namespace std;\nint gcd(int a, int b) { return b ? gcd(b, a % b) : a; }"), Verdict::kAC);
  EXPECT_EQ(
      verdict("using namespace std;\nclass Solution { public: int gcd(int a, int b) { return std::gcd(a, b); } };"),
      Verdict::kAC);
}

TEST(CppCall, BytesMayBeTexts) {
  PLUMB_JUDGE_OR_SKIP(judge);
  const char* calls = R"([[[{"__bytes__": "AP8="}], {"__bytes__": "/wA="}]])";
  for (const char* source :
       {"std::string f(const std::string& x) { return std::string(x.rbegin(), x.rend()); }",
        "std::vector<unsigned char> f(std::vector<std::uint8_t> x) { return {x.rbegin(), x.rend()}; }",
        "std::vector<std::uint8_t> f(std::string x) { return {x.rbegin(), x.rend()}; }",
        "std::string f(std::vector<unsigned char>& x) { return {x.rbegin(), x.rend()}; }"}) {
    const Evidence evidence =
        judge->judge(make_submission(Language::kCpp, source, {"f", {{"x", "bytes"}}, "bytes"}, calls));
    EXPECT_EQ(evidence.verdict, Verdict::kAC) << source << describe(evidence);
  }
}

TEST(CppCall, WordsSayWhatTheFunctionMayBe) {
  using enum CppCallee;
  EXPECT_EQ(cpp_callees("int f();", "f"), std::vector{kFunction});
  EXPECT_EQ(cpp_callees("class\tSolution {};", "f"), (std::vector{kMethod, kFunction}));
  EXPECT_EQ(cpp_callees("class Solutions {}; subclass Solution;", "f"), std::vector{kFunction});
  EXPECT_EQ(cpp_callees("struct S {}; using Solution = S;", "f"), (std::vector{kMethod, kFunction}));
  EXPECT_EQ(cpp_callees("struct Solution {}; using f = int;", "f"), (std::vector{kMethod, kFunction, kObject}));
  EXPECT_EQ(cpp_callees("f", "f"), std::vector{kFunction});
  EXPECT_EQ(cpp_callees("using namespace std;\nint f() { return 1; }", "f"), std::vector{kFunction});
  EXPECT_EQ(cpp_callees("namespace {\nint f(); }", "f"), (std::vector{kFunction, kInherited}));
  EXPECT_EQ(cpp_callees("", "f"), std::vector{kFunction});
}

}  // namespace
}  // namespace plumb
