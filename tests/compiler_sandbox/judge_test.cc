// Right and wrong programs, and what the judge says of each kind of failure.

#include "compiler_sandbox/judge.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "judge_support.h"

namespace plumb {
namespace {

using test::add_submission;
using test::describe;
using test::make_submission;

struct Case {
  Language language;
  const char* source;
  Verdict verdict;
  const char* message;  // part of the first diagnostic, where there has to be one
};

TEST(Judge, TellsRightFromWrong) {
  PLUMB_JUDGE_OR_SKIP(judge);
  const Evidence right_python = judge->judge(add_submission(Language::kPython, "def add(a, b):\n    return a + b\n"));
  EXPECT_EQ(right_python.verdict, Verdict::kAC) << describe(right_python);
  EXPECT_EQ(right_python.passed, 4);
  EXPECT_EQ(right_python.total, 4);
  EXPECT_EQ(right_python.isolation, judge->isolation().summary());
  EXPECT_TRUE(right_python.tool_versions.starts_with("Python 3.")) << right_python.tool_versions;
  EXPECT_GT(right_python.cpu_s, 0);
  EXPECT_GT(right_python.wall_s, 0);
  EXPECT_TRUE(right_python.fault.empty());
  const Evidence right_cpp = judge->judge(add_submission(Language::kCpp, "int add(int a, int b) { return a + b; }"));
  EXPECT_NE(right_cpp.tool_versions.find("; "), std::string::npos) << right_cpp.tool_versions;  // compiler and linker
  EXPECT_EQ(right_cpp.verdict, Verdict::kAC) << describe(right_cpp);
  EXPECT_EQ(right_cpp.tests, std::vector<Verdict>(4, Verdict::kAC));
}

TEST(Judge, SaysWhatIsWrongWithPython) {
  PLUMB_JUDGE_OR_SKIP(judge);
  const Case cases[] = {
      {Language::kPython, "def add(a, b):\n    return a - b\n", Verdict::kWA, "call 1 returned another value"},
      {Language::kPython, "def add(a, b):\n    return a +\n", Verdict::kCE, "SyntaxError"},
      {Language::kPython, "def add(a, b):\nreturn a\n", Verdict::kCE, "IndentationError"},
      {Language::kPython, "def sub(a, b):\n    return a - b\n", Verdict::kRE, "add is not defined"},
      {Language::kPython, "add = 5\n", Verdict::kRE, "add is not defined"},
      {Language::kPython, "def add(a, b):\n    return a // 0\n", Verdict::kRE, "ZeroDivisionError"},
      {Language::kPython, "def add(a):\n    return a\n", Verdict::kRE, "TypeError"},
      {Language::kPython, "def add(a, b):\n    return add(a, b)\n", Verdict::kRE, "RecursionError"},
      {Language::kPython, "import nothing_of_that_name\ndef add(a, b):\n    return a + b\n", Verdict::kRE,
       "ModuleNotFoundError"},
      {Language::kPython, "def add(a, b):\n    pass\n", Verdict::kWA, "another value"},
      {Language::kPython, "def add(a, b):\n    return object()\n", Verdict::kWA, "a value of type <class 'object'>"},
      {Language::kPython, "\xFF\xFE", Verdict::kCE, "SyntaxError"},
      {Language::kPython, "", Verdict::kRE, "add is not defined"},
  };
  for (const Case& one : cases) {
    const Evidence evidence = judge->judge(add_submission(one.language, one.source));
    EXPECT_EQ(evidence.verdict, one.verdict) << one.source << describe(evidence);
    ASSERT_FALSE(evidence.diagnostics.empty()) << one.source;
    EXPECT_NE(evidence.diagnostics[0].message.find(one.message), std::string::npos) << describe(evidence);
  }
  const Evidence line = judge->judge(add_submission(Language::kPython, "def add(a, b):\n\n    return a // 0\n"));
  EXPECT_EQ(line.diagnostics.at(0).line, 3) << describe(line);
}

// Whether the first error, or the first message where none is an error, holds one of the words parted by "|": gcc's and
// clang's.
bool says(const Evidence& evidence, const std::string& words) {
  const auto is_error = [](const Diagnostic& diagnostic) { return diagnostic.severity == "error"; };
  auto first = std::find_if(evidence.diagnostics.begin(), evidence.diagnostics.end(), is_error);
  first = first == evidence.diagnostics.end() ? evidence.diagnostics.begin() : first;
  std::istringstream choices(words);
  for (std::string choice; std::getline(choices, choice, '|');) {
    if (first->message.find(choice) != std::string::npos) {
      return true;
    }
  }
  return false;
}

TEST(Judge, SaysWhatIsWrongWithCpp) {
  PLUMB_JUDGE_OR_SKIP(judge);
  const Case cases[] = {
      {Language::kCpp, "int add(int a, int b) { return a - b; }", Verdict::kWA, "call 1 returned another value"},
      {Language::kCpp, "int add(int a, int b) { return a + c; }", Verdict::kCE,
       "'c' was not declared|undeclared identifier 'c'"},
      {Language::kCpp, "int add(int a, int b) { a + b; }", Verdict::kCE, "no return statement|does not return a value"},
      {Language::kCpp, "long add(int a, int b) { return a + b; }", Verdict::kCE, "add does not return int"},
      {Language::kCpp, "int sub(int a, int b) { return a - b; }", Verdict::kCE,
       "does not define int add(int a, int b)"},
      {Language::kCpp, "int add(int a, int b) { throw std::runtime_error(\"too bad\"); }", Verdict::kRE, "too bad"},
      {Language::kCpp, "int add(int a, int b) { throw 5; }", Verdict::kRE, "another type"},
      {Language::kCpp, "int add(int a, int b) { std::abort(); }", Verdict::kRE, "signal 6"},
  };
  for (const Case& one : cases) {
    const Evidence evidence = judge->judge(add_submission(one.language, one.source));
    EXPECT_EQ(evidence.verdict, one.verdict) << one.source << describe(evidence);
    ASSERT_FALSE(evidence.diagnostics.empty()) << one.source;
    EXPECT_TRUE(says(evidence, one.message)) << describe(evidence);
  }
  const Evidence line = judge->judge(add_submission(Language::kCpp, "\n\nint add(int a, int b) { return c; }"));
  EXPECT_EQ(line.diagnostics.at(0).line, 3) << describe(line);
}

// Undefined behaviour stops the program: it neither passes by luck nor fails by bad luck.
TEST(Judge, TrapsUndefinedBehaviour) {
  PLUMB_JUDGE_OR_SKIP(judge);
  const char* sources[] = {
      "int add(int a, int b) { int big = 2147483647; big += a; return big - 2147483647 + b; }",
      "int add(int a, int b) { std::vector<int> v{a, b}; return v[2]; }",
      "int add(int a, int b) { return (a + b) / (b - b); }",
      "int add(int a, int b) { int* p = nullptr; return *p + a + b; }",
      "int add(int a, int b) { int t[2] = {a, b}; return t[a]; }",
  };
  for (const char* source : sources) {
    const Evidence evidence = judge->judge(add_submission(Language::kCpp, source));
    EXPECT_EQ(evidence.verdict, Verdict::kRE) << source << describe(evidence);
  }
  // A variable that was never set holds a pattern, the same at each run.
  const Evidence unset =
      judge->judge(add_submission(Language::kCpp, "int add(int a, int b) { int t; return t + a + b; }"));
  EXPECT_NE(unset.verdict, Verdict::kAC) << describe(unset);
}

TEST(Judge, LetsCandidatesWriteCppAsTheyAreUsedTo) {
  PLUMB_JUDGE_OR_SKIP(judge);
  const char* sources[] = {
      "#include <bits/stdc++.h>\nusing namespace std;\nint add(int a, int b) { vector<int> v{a, b}; return "
      "accumulate(v.begin(), v.end(), 0); }",
      "#include <vector>\nint helper(int x) { return x; }\nint add(int a, int b) { return helper(a) + b; }\n"
      "int main() { std::cout << add(1, 2) << std::endl; return 0; }",
      "inline int add(int first, int second) { return first + second; }",
      "static int count = 0;\nint add(int a, int b) { ++count; return a + b; }",
      "int add(int a, int b);\nint add(int a, int b) { return std::max(a, b) + std::min(a, b); }",
      "#include <thread>\nint add(int a, int b) { int r = 0; std::thread t([&] { r = a + b; }); t.join(); return r; }",
  };
  for (const char* source : sources) {
    const Evidence evidence = judge->judge(add_submission(Language::kCpp, source));
    EXPECT_EQ(evidence.verdict, Verdict::kAC) << source << describe(evidence);
  }
}

TEST(Judge, PassesEveryTypeThereAndBack) {
  PLUMB_JUDGE_OR_SKIP(judge);
  const FunctionSignature function{
      "same",
      {{"i", "int"}, {"f", "float"}, {"b", "bool"}, {"s", "str"}, {"v", "list[float]"}, {"w", "list[list[str]]"}},
      "list[list[str]]"};
  const std::string calls = R"([[[-2147483648, 0.1, true, "", [], []], []],
      [[7, "nan", false, "h\u00e9\n\u0000;:", ["inf", -0.0, 1e-300], [["a", ""], [], ["\ud83d\ude00"]]],
       [["a", ""], [], ["\ud83d\ude00"]]]])";
  const char* python =
      "def same(i, f, b, s, v, w):\n    assert type(i) is int and type(f) is float and type(b) is bool\n"
      "    assert b or (f != f and s == 'h\\u00e9\\n\\0;:' and v[0] == float('inf'))\n    return w\n";
  const char* cpp =
      "std::vector<std::vector<std::string>> same(int i, double f, bool b, const std::string& s,\n"
      "    const std::vector<double>& v, const std::vector<std::vector<std::string>>& w) {\n"
      "  if (!b && !(std::isnan(f) && s == std::string(\"h\\xc3\\xa9\\n\\0;:\", 7) && std::isinf(v[0]))) "
      "return {};\n  return w;\n}\n";
  for (const auto& [language, source] : {std::pair{Language::kPython, python}, std::pair{Language::kCpp, cpp}}) {
    const Evidence evidence = judge->judge(make_submission(language, source, function, calls));
    EXPECT_EQ(evidence.verdict, Verdict::kAC) << describe(evidence);
  }
}

TEST(Judge, IsStrictAboutTypes) {
  PLUMB_JUDGE_OR_SKIP(judge);
  struct Typed {
    const char* result;  // Python expression
    const char* returns;
    const char* expected;
    Verdict verdict;
  };
  const Typed cases[] = {
      {"True", "int", "1", Verdict::kWA},
      {"1", "bool", "true", Verdict::kWA},
      {"1.0", "int", "1", Verdict::kWA},
      {"1", "float", "1.0", Verdict::kWA},
      {"(1, 2)", "list[int]", "[1, 2]", Verdict::kWA},
      {"[1, 2]", "list[int]", "[1, 2]", Verdict::kAC},
      {"'5'", "int", "5", Verdict::kWA},
      {"None", "int", "0", Verdict::kWA},
      {"0.1 + 0.2", "float", "0.3", Verdict::kAC},
      {"0.30001", "float", "0.3", Verdict::kWA},
      {"float('nan')", "float", "\"nan\"", Verdict::kAC},
      {"float('inf')", "float", "\"nan\"", Verdict::kWA},
      {"[[1], []]", "list[list[int]]", "[[1], []]", Verdict::kAC},
      {"[[1.0], []]", "list[list[int]]", "[[1], []]", Verdict::kWA},
      {"b'a'", "str", "\"a\"", Verdict::kWA},
      {"'\\udc80'", "str", "\"?\"", Verdict::kWA},
      {"range(2)", "list[int]", "[0, 1]", Verdict::kWA},
      {"10 ** 5000", "int", "1", Verdict::kWA},
      {"type('I', (int,), {})(1)", "int", "1", Verdict::kWA},
  };
  for (const Typed& one : cases) {
    const Evidence evidence =
        judge->judge(make_submission(Language::kPython, "def f():\n    return " + std::string(one.result) + "\n",
                                     {"f", {}, one.returns}, "[[[], " + std::string(one.expected) + "]]"));
    EXPECT_EQ(evidence.verdict, one.verdict) << one.result << " for " << one.expected << ": " << describe(evidence);
  }
}

TEST(Judge, StopsAtTheFirstFailureOrGoesOn) {
  PLUMB_JUDGE_OR_SKIP(judge);
  const std::string source = "def add(a, b):\n    if a == 0:\n        raise ValueError('zero')\n    return a + b\n";
  Submission submission = add_submission(Language::kPython, source);
  const Evidence stopped = judge->judge(submission);
  EXPECT_EQ(stopped.tests, (std::vector<Verdict>{Verdict::kAC, Verdict::kRE}));
  submission.stop_at_first_failure = false;
  const Evidence whole = judge->judge(submission);
  EXPECT_EQ(whole.tests, (std::vector<Verdict>{Verdict::kAC, Verdict::kRE, Verdict::kAC, Verdict::kAC}));
  EXPECT_EQ(whole.passed, 3);
  EXPECT_EQ(whole.total, 4);
  EXPECT_EQ(whole.verdict, Verdict::kRE);
}

// Each call is answered for itself: by a fresh run where the one before did not live to see it.
TEST(Judge, AProgramThatEndedIsRunAgainForTheCallsThatFollow) {
  PLUMB_JUDGE_OR_SKIP(judge);
  const auto judged = [&](Language language, const std::string& source) {
    Submission submission = add_submission(language, source);
    submission.stop_at_first_failure = false;
    return judge->judge(submission);
  };
  const std::vector<Verdict> second{Verdict::kAC, Verdict::kRE, Verdict::kAC, Verdict::kAC};
  const struct {
    Language language;
    const char* ends;  // where both are zero, which is the second call
    const char* words;
  } endings[] = {
      {Language::kPython, "import os; os._exit(7)", "exit code 7"},
      {Language::kPython, "import os; os.kill(os.getpid(), 11)", "signal 11"},
      {Language::kPython, "import os; os.write(3, b'5' * 99)", "channel"},
      {Language::kCpp, "std::_Exit(7);", "exit code 7"},
      {Language::kCpp, "std::abort();", "signal 6"},
      {Language::kCpp, "std::vector<int> none; return none[0];", "signal 6"},
  };
  for (const auto& one : endings) {
    const bool python = one.language == Language::kPython;
    const Evidence evidence = judged(
        one.language, python ? "print('up')\ndef add(a, b):\n    if a == 0:\n        " + std::string(one.ends) +
                                   "\n    return a + b\n"
                             : "int add(int a, int b) { if (a == 0) { " + std::string(one.ends) + " } return a + b; }");
    EXPECT_EQ(evidence.tests, second) << one.ends << describe(evidence);
    EXPECT_EQ(evidence.passed, 3);
    EXPECT_EQ(evidence.verdict, Verdict::kRE);
    ASSERT_EQ(evidence.diagnostics.size(), 1U);
    EXPECT_NE(evidence.diagnostics[0].message.find(one.words), std::string::npos) << describe(evidence);
    EXPECT_EQ(evidence.output.starts_with("up\nup\n"), python) << evidence.output;
  }
  const Evidence never = judged(Language::kCpp, "int add(int, int) { std::_Exit(7); }");
  EXPECT_EQ(never.tests, std::vector<Verdict>(4, Verdict::kRE)) << describe(never);
  const Evidence memory =
      judged(Language::kCpp,
             "char* volatile hold;\nint add(int a, int b) { while (a == 0) "
             "std::memset(const_cast<char*>(hold = new char[1 << 24]), 1, 1 << 24); return a + b; }");
  EXPECT_EQ(memory.tests, (std::vector<Verdict>{Verdict::kAC, Verdict::kMLE, Verdict::kAC, Verdict::kAC}))
      << describe(memory);
  // Calls share the time that they may take: it is spent.
  const Evidence endless =
      judged(Language::kCpp, "int add(int a, int b) { for (volatile int i = 0; a == 0; i = i) {} return a + b; }");
  EXPECT_EQ(endless.tests, (std::vector<Verdict>{Verdict::kAC, Verdict::kTLE})) << describe(endless);
  // Not without end.
  Submission many = add_submission(Language::kPython, "import os\ndef add(a, b):\n    os._exit(1)\n");
  many.stop_at_first_failure = false;
  many.args.assign(40, many.args[0]);
  many.expected.assign(40, many.expected[0]);
  const Evidence some = judge->judge(many);
  EXPECT_EQ(some.tests, std::vector<Verdict>(16, Verdict::kRE)) << describe(some);
  EXPECT_EQ(some.total, 40);
}

TEST(Judge, WarningsStandBehindTheReason) {
  PLUMB_JUDGE_OR_SKIP(judge);
  const std::string warned = "\nint far() { return 1 << 40; }\n";
  Submission program;
  program.program_language = "cpp";
  program.source = warned + "int main() {}\n";
  program.program_tests = {{"", ""}};
  const Submission submissions[] = {
      add_submission(Language::kCpp, warned + "int add(int a, int b) { return a + b; }"),
      program,
      add_submission(Language::kCpp, warned + "int add(int a, int b) { return a - b; }"),
      add_submission(Language::kCpp, warned + "int add(int a, int b) { std::abort(); }"),
  };
  for (const Submission& submission : submissions) {
    const Evidence evidence = judge->judge(submission);
    const bool passed = evidence.verdict == Verdict::kAC;
    ASSERT_EQ(evidence.diagnostics.size(), passed ? 1U : 2U) << describe(evidence);
    EXPECT_EQ(evidence.diagnostics.front().severity == "warning", passed);
    const Diagnostic& warning = evidence.diagnostics.back();
    EXPECT_EQ(warning.severity, "warning");
    EXPECT_EQ(warning.flag, "-Wshift-count-overflow");
    EXPECT_EQ(warning.file, submission.program_language.empty() ? "solution.cpp" : judge->languages().at("cpp").source)
        << describe(evidence);
    EXPECT_EQ(warning.line, 2);
    EXPECT_EQ(judge->judge(submission).diagnostics.size(), evidence.diagnostics.size());
  }
  std::string flood = "int add(int a, int b) { return a + b; }\n";
  for (int i = 0; i < 100; ++i) {
    flood += "int far" + std::to_string(i) + "() { return 1 << 40; }\n";
  }
  const Evidence many = judge->judge(add_submission(Language::kCpp, flood));
  EXPECT_EQ(many.verdict, Verdict::kAC);
  EXPECT_EQ(many.diagnostics.size(), 20U);
}

TEST(Judge, KeepsWhatWasPrinted) {
  PLUMB_JUDGE_OR_SKIP(judge);
  const Evidence python =
      judge->judge(add_submission(Language::kPython, "def add(a, b):\n    print('sum', a, b)\n    return a + b\n"));
  EXPECT_EQ(python.verdict, Verdict::kAC) << describe(python);
  EXPECT_EQ(python.output, "sum 2 3\nsum 0 0\nsum -7 4\nsum 100 23\n");
  const Evidence cpp = judge->judge(
      add_submission(Language::kCpp, "int add(int a, int b) { std::cout << a; printf(\"+%d \", b); return a + b; }"));
  EXPECT_EQ(cpp.output, "2+3 0+0 -7+4 100+23 ") << describe(cpp);
}

TEST(Judge, RefusesWhatCannotBeJudged) {
  PLUMB_JUDGE_OR_SKIP(judge);
  Submission program = add_submission(Language::kCpp, "int main() {}");
  program.function.name.clear();
  const Evidence whole = judge->judge(program);
  EXPECT_EQ(whole.verdict, Verdict::kSE);
  EXPECT_EQ(whole.fault, "whole programs are not judged: the submission names no function");
  Submission injected = add_submission(Language::kCpp, "");
  injected.function.name = "add(); int x";
  EXPECT_NE(judge->judge(injected).fault.find("is not an identifier"), std::string::npos);
  Submission unfit = add_submission(Language::kCpp, "int add(int a, int b) { return a + b; }");
  unfit.args[0][0] = 1LL << 40;
  EXPECT_EQ(judge->judge(unfit).fault, "argument a of add does not fit the type int");
  Submission empty = add_submission(Language::kPython, "def add(a, b): return a + b");
  empty.args.clear();
  empty.expected.clear();
  EXPECT_EQ(judge->judge(empty).verdict, Verdict::kSE);
  Submission typeless = add_submission(Language::kPython, "def add(a, b): return a + b");
  typeless.function.returns = "dict";
  EXPECT_EQ(judge->judge(typeless).verdict, Verdict::kSE);
}

// Texts have no order that depends on a hash seed, and addresses are the same in every run.
TEST(Judge, GivesTheSameAnswerEveryTime) {
  PLUMB_JUDGE_OR_SKIP(judge);
  const std::string source =
      "def f():\n    s = {'alpha', 'beta', 'gamma', 'delta', 'epsilon'}\n    return ','.join(s) + str(hash('x'))\n#";
  std::string first;
  for (int i = 0; i < 3; ++i) {
    const Evidence evidence = judge->judge(make_submission(
        Language::kPython, source + std::to_string(i) + "\nprint(f())\n", {"f", {}, "str"}, "[[[], \"\"]]"));
    ASSERT_FALSE(evidence.output.empty()) << describe(evidence);
    first = i == 0 ? evidence.output : first;
    EXPECT_EQ(evidence.output, first);
  }
}

// Each value goes in, is seen by the candidate as its type, and comes back.
TEST(Judge, ValuesOfEveryTypeGoThereAndBack) {
  PLUMB_JUDGE_OR_SKIP(judge);
  const struct {
    const char* type;
    const char* values;  // JSON, each is argument and result
    const char* python;  // a condition on x
    const char* cpp;     // the parameter type that the declaration must have
  } cases[] = {
      {"int", "[-2147483648, 0]", "type(x) is int", "int"},
      {"tuple[int, str]", R"([[1, "a"], [-5, ""]])", "type(x) is tuple", "const std::tuple<int, std::string>&"},
      {"set[int]", "[[3, 1, 1], []]", "type(x) is set", "const std::set<int>&"},
      {"dict[str, list[float]]", R"([{"a": [1, 2.5]}, {}])", "type(x) is dict",
       "const std::map<std::string, std::vector<double>>&"},
      {"dict[int, bool]", R"([{"7": true}, [[-1, false]]])", "all(type(k) is int for k in x)",
       "const std::map<int, bool>&"},
      {"optional[str]", R"([null, "x"])", "x is None or x == 'x'", "const std::optional<std::string>&"},
      {"bytes", R"([{"__bytes__": "AP8="}, "z"])", "type(x) is bytes", "const std::vector<unsigned char>&"},
  };
  for (const auto& one : cases) {
    const FunctionSignature function{"same", {{"x", one.type}}, one.type};
    std::string calls;
    for (const auto& value : nlohmann::json::parse(one.values)) {
      calls += (calls.empty() ? "[[[" : ",[[") + value.dump() + "]," + value.dump() + "]";
    }
    const Evidence python = judge->judge(
        make_submission(Language::kPython, std::string("def same(x):\n    assert ") + one.python + "\n    return x\n",
                        function, calls + "]"));
    EXPECT_EQ(python.verdict, Verdict::kAC) << one.type << describe(python);
    const std::string parameter = one.cpp;
    const std::string result = "std::remove_cvref_t<" + parameter + ">";
    const Evidence cpp = judge->judge(
        make_submission(Language::kCpp, result + " same(" + parameter + " x) { return x; }\n", function, calls + "]"));
    EXPECT_EQ(cpp.verdict, Verdict::kAC) << one.type << describe(cpp);
  }
}

TEST(Judge, PythonValuesNeedNoDeclaredType) {
  PLUMB_JUDGE_OR_SKIP(judge);
  const FunctionSignature function{"back", {{"x", "any"}}, "any"};
  const auto verdict = [&](const std::string& body, const std::string& calls) {
    return judge->judge(make_submission(Language::kPython, "def back(x):\n    " + body + "\n", function, calls))
        .verdict;
  };
  EXPECT_EQ(verdict("return x[::-1]", R"([[[[1, "a", null, 2.5]], [2.5, null, "a", 1]]])"), Verdict::kAC);
  EXPECT_EQ(verdict("return tuple(x)", R"([[[[1, 2]], {"__tuple__": [1, 2]}]])"), Verdict::kAC);
  EXPECT_EQ(verdict("return tuple(x)", R"([[[[1, 2]], [1, 2]]])"), Verdict::kWA);
  EXPECT_EQ(verdict("return 2 ** 100", R"([[[0], {"__int__": "1267650600228229401496703205376"}]])"), Verdict::kAC);
  EXPECT_EQ(verdict("return {1: {2}}", R"([[[0], {"__dict__": [[1, {"__set__": [2]}]]}]])"), Verdict::kAC);
  EXPECT_EQ(verdict("return {1: {3}}", R"([[[0], {"__dict__": [[1, {"__set__": [2]}]]}]])"), Verdict::kWA);
  // A subclass is no dict, and a key that is no plain value cannot be judged.
  EXPECT_EQ(verdict("return type('D', (dict,), {})(a=1)", R"([[[0], {"a": 1}]])"), Verdict::kWA);
  EXPECT_EQ(verdict("return {type('K', (str,), {})('a'): 1}", R"([[[0], {"a": 1}]])"), Verdict::kWA);
}

TEST(Judge, CppFunctionsWithTypesOfTheirOwn) {
  PLUMB_JUDGE_OR_SKIP(judge);
  const auto judged = [&](const std::string& source, const char* type, const char* calls) {
    Submission submission = make_submission(Language::kCpp, source, {"f", {{"x", type}}, type}, calls);
    submission.guessed_types = true;
    return judge->judge(submission);
  };
  if (judged("long f(long x) { return x; }", "int", "[[[1], 1]]").verdict != Verdict::kAC) {
    GTEST_SKIP() << "built without clang's libraries";
  }
  const struct {
    const char* source;
    const char* type;
    const char* calls;
    Verdict verdict;
  } cases[] = {
      {"long long f(std::vector<long long>& x) { return x[0] + x[1]; }", "auto", "[[[[4000000000, 2]], 4000000002]]",
       Verdict::kAC},
      {"#include <bits/stdc++.h>\nusing namespace std; using ll = long long;\n"
       "unordered_map<string, vector<ll>> f(unordered_map<string, vector<ll>> x) { return x; }",
       "auto", R"([[[{"a": [1], "b": []}], {"b": [], "a": [1]}]])", Verdict::kAC},
      {"std::pair<char, std::string> f(const std::pair<std::string, char>& x) { return {x.second, x.first}; }", "auto",
       R"([[[["ab", "c"]], ["c", "ab"]]])", Verdict::kAC},
      {"std::array<int, 2> f(std::array<int, 2> x) { return {x[1], x[0]}; }", "list[int]", "[[[[1, 2]], [2, 1]]]",
       Verdict::kAC},
      {"float f(float x) { return x / 3; }", "float", "[[[1], 0.33333333]]", Verdict::kAC},
      {"unsigned f(unsigned x) { return x; }", "int", "[[[-1], -1]]", Verdict::kRE},  // does not fit
      {"short f(short x) { return x; }", "int", "[[[40000], 40000]]", Verdict::kRE},
      {"long f(long x) { return x + 1; }", "int", "[[[1], 1]]", Verdict::kWA},
      {"int f(std::vector<const char*> x) { return x.size(); }", "auto", R"([[[["a"]], 1]])", Verdict::kCE},
      {"int f(std::unordered_set<std::pair<int, int>>* = 0, std::tuple<int&> x = {}) { return 1; }", "auto",
       "[[[1], 1]]", Verdict::kCE},
      {"int f(std::unordered_set<std::pair<int, int>>&&) { return 1; }", "list[int]", "[[[[1]], 1]]", Verdict::kCE},
      {"struct S {}; S f(S x) { return x; }", "auto", "[[[1], 1]]", Verdict::kCE},
      {"int g(int x) { return x; }", "auto", "[[[1], 1]]", Verdict::kCE},
      {"namespace std { struct evil {}; } std::evil f(std::evil x) { return x; }", "auto", "[[[1], 1]]", Verdict::kCE},
      {"#define long Evil\nstruct Evil {}; long f(long x) { return x; }", "auto", "[[[1], 1]]", Verdict::kCE},
  };
  for (const auto& one : cases) {
    const Evidence evidence = judged(one.source, one.type, one.calls);
    EXPECT_EQ(evidence.verdict, one.verdict) << one.source << describe(evidence);
    EXPECT_FALSE(evidence.isolation.empty());
  }
  // Where the types are given, others are no answer.
  const Evidence strict = judge->judge(
      make_submission(Language::kCpp, "long f(long x) { return x; }", {"f", {{"x", "int"}}, "int"}, "[[[1], 1]]"));
  EXPECT_EQ(strict.verdict, Verdict::kCE) << describe(strict);
}

}  // namespace
}  // namespace plumb
