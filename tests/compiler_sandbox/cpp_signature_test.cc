// Functions whose types the task does not say: they are read from the candidate, whatever it is that bears the name.

#include <gtest/gtest.h>

#include <chrono>

#include "judge_support.h"

namespace plumb {
namespace {

using test::describe;
using test::make_submission;

class CppSignature : public testing::Test {
 protected:
  void SetUp() override {
    std::string why;
    judge_ = test::shared_judge(why);
    if (judge_ == nullptr) {
      GTEST_SKIP() << "no isolation on this machine: " << why;
    }
    if (judged("long f(long x) { return x; }", "[[[1], 1]]").verdict != Verdict::kAC) {
      GTEST_SKIP() << "built without clang's libraries";
    }
  }

  // `calls` as JSON: pairs of arguments and result of a function f of one argument.
  Evidence judged(const std::string& source, const std::string& calls) {
    Submission submission = make_submission(Language::kCpp, source, {"f", {{"x", "auto"}}, "auto"}, calls);
    submission.guessed_types = true;
    return judge_->judge(submission);
  }

  struct Case {
    const char* source;
    const char* calls;
    Verdict verdict;
  };

  void expect(std::initializer_list<Case> cases) {
    for (const Case& one : cases) {
      const Evidence evidence = judged(one.source, one.calls);
      EXPECT_EQ(evidence.verdict, one.verdict) << one.source << one.calls << describe(evidence);
    }
  }

  Judge* judge_ = nullptr;
};

TEST_F(CppSignature, IsThatOfLambdasAndMethodsToo) {
  const std::string body = "(std::vector<long long>& x) { return x[0] + x[1]; }";
  for (const std::string& source :
       {"long long f" + body, "auto f" + body, "static long long f" + body, "auto f = []" + body + ";",
        "const auto f = [] " + body + ";", "std::function<long long(std::vector<long long>&)> f = []" + body + ";",
        "class Solution {\npublic:\n  long long f" + body + "\n};", "struct Solution { static auto f" + body + " };",
        "extern \"C\" long long f" + body, "namespace { long long f" + body + " }",
        "namespace own { long long f" + body + " } using own::f;", "struct f { long long operator()" + body + " };",
        "struct F { long long operator()" + body + " } f;", "long long g" + body + "\nauto* f = &g;",
        "struct Base { long long f" + body + " }; struct Solution : Base {};",
        "struct Own { long long f" + body + " }; using Solution = Own;",
        "namespace own { int f(int x) { return x; } } long long f" + body,
        std::string("long long f(std::vector<long long> x, const char* more = nullptr) { return x[0] + x[1]; }")}) {
    const Evidence evidence = judged(source, "[[[[4000000000, 2]], 4000000002]]");
    EXPECT_EQ(evidence.verdict, Verdict::kAC) << source << describe(evidence);
  }
}

TEST_F(CppSignature, ContainersMayHaveAnOrder) {
  expect({
      {"long f(std::set<long, std::greater<long>> x) { return *x.begin(); }", "[[[[1, 3, 2]], 3]]", Verdict::kAC},
      {"long f(std::set<long, std::greater<>> x) { return *x.begin(); }", "[[[[1, 3, 2]], 1]]", Verdict::kWA},
      {"std::multiset<long, std::greater<long>> f(std::multiset<long> x) { return {x.begin(), x.end()}; }",
       "[[[[1, 3, 1]], [3, 1, 1]]]", Verdict::kAC},
      {"std::map<std::string, long, std::greater<>> f(std::map<std::string, long, std::less<>> x)"
       " { return {x.begin(), x.end()}; }",
       R"([[[{"a": 1, "b": 2}], {"b": 2, "a": 1}]])", Verdict::kAC},
      {"struct By { bool operator()(long a, long b) const { return a > b; } };\n"
       "long f(std::set<long, By> x) { return *x.begin(); }",
       "[[[[1, 3, 2]], 3]]", Verdict::kCE},
  });
}

TEST_F(CppSignature, BytesMayBeTextsAndIntegersWide) {
  expect({
      {"std::string f(std::string x) { return {x.rbegin(), x.rend()}; }",
       R"([[[{"__bytes__": "AP8="}], {"__bytes__": "/wA="}]])", Verdict::kAC},
      {"std::vector<std::uint8_t> f(std::vector<std::uint8_t> x) { return x; }", "[[[[1, 255]], [1, 255]]]",
       Verdict::kAC},
      {"std::vector<std::uint8_t> f(std::vector<std::uint8_t> x) { return x; }", "[[[[1, 255]], [1, 254]]]",
       Verdict::kWA},
      {"std::vector<std::uint8_t> f(std::vector<std::uint8_t> x) { return x; }", "[[[[1, 256]], [1, 256]]]",
       Verdict::kRE},
      {"__int128 f(__int128 x) { return x - 1; }",
       R"([[[{"__int__": "-170141183460469231731687303715884105727"}],
            {"__int__": "-170141183460469231731687303715884105728"}],
           [[{"__int__": "170141183460469231731687303715884105727"}],
            {"__int__": "170141183460469231731687303715884105726"}], [[0], -1], [[4294967296], 4294967295]])",
       Verdict::kAC},
      {"unsigned __int128 f(unsigned __int128 x) { return x; }",
       R"([[[{"__int__": "340282366920938463463374607431768211455"}],
            {"__int__": "340282366920938463463374607431768211455"}], [[0], 0]])",
       Verdict::kAC},
      {"unsigned __int128 f(unsigned __int128 x) { return x; }", "[[[-1], -1]]", Verdict::kRE},
      {"__int128 f(__int128 x) { return x; }", R"([[[{"__int__": "170141183460469231731687303715884105728"}], 1]])",
       Verdict::kRE},
      {"unsigned __int128 f(unsigned __int128 x) { return x; }",
       R"([[[{"__int__": "340282366920938463463374607431768211456"}], 1]])", Verdict::kRE},
      {"__int128 f(const std::vector<__int128>& x) { return x[0] * x[1]; }",
       R"([[[[18446744073709551615, 2]], {"__int__": "36893488147419103230"}]])", Verdict::kAC},
  });
}

// A driver is made for a candidate's own types, so those that would be dear to compile are no types that values can
// have.
TEST_F(CppSignature, TypesThatAreDearToCompileAreRefusedAtOnce) {
  std::string nested = "int";
  for (int i = 0; i < 28; ++i) {
    nested = "std::map<" + nested + ", int>";
  }
  for (const std::string& type : {std::string("std::array<int, 1000000000>"), nested}) {
    const auto start = std::chrono::steady_clock::now();
    const Evidence evidence = judged("int f(" + type + " v) { return 3; }", "[[[[1, 2]], 3]]");
    EXPECT_EQ(evidence.verdict, Verdict::kCE) << describe(evidence);
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30));
  }
}

}  // namespace
}  // namespace plumb
