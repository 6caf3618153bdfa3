#include "compiler_sandbox/structure.h"

#include <gtest/gtest.h>

#include "tests/compiler_sandbox/judge_support.h"

namespace plumb {
namespace {

bool reads_c(const Judge& judge) {
  return !judge.clang_reader("c", "").empty();
}

CodeStructure structure_of(Judge& judge, const char* language, const char* source) {
  const SourceText text{language, source};
  auto all = code_structure(judge, std::span(&text, 1));
  EXPECT_TRUE(all.at(0)) << (all[0] ? "" : all[0].error().message);
  return all[0] ? *all[0] : CodeStructure();
}

void expect_function(const FunctionStructure& found, const FunctionStructure& expected) {
  EXPECT_EQ(found.name, expected.name);
  EXPECT_EQ(found.line, expected.line) << expected.name;
  EXPECT_EQ(found.lines, expected.lines) << expected.name;
  EXPECT_EQ(found.parameters, expected.parameters) << expected.name;
  EXPECT_EQ(found.cyclomatic, expected.cyclomatic) << expected.name;
  EXPECT_EQ(found.nesting, expected.nesting) << expected.name;
}

TEST(Structure, OfPython) {
  PLUMB_JUDGE_OR_SKIP(judge);
  const CodeStructure found = structure_of(*judge, "python", R"(def plain(a, *b, c=1, **d):
    return a

def branches(n):
    if n > 1 and n < 5 or n == 9:
        return 1
    elif n > 7:
        return 2
    else:
        for i in range(n):
            while i:
                i -= 1
    try:
        return [x for x in n if x] if n else 0
    except ValueError:
        return 3

class C:
    def method(self):
        def inner():
            if self: pass
        return inner
)");
  EXPECT_EQ(found.lines, 20);
  EXPECT_EQ(found.first_error_line, 0);
  EXPECT_EQ(found.parsed, 1);
  EXPECT_EQ(found.declarations, 3);
  EXPECT_EQ(found.sound_declarations, 3);
  ASSERT_EQ(found.functions.size(), 4U);
  expect_function(found.functions[0], {"plain", 1, 2, 4, 1, 0});
  // if, and, or, elif, for, while, the conditional, the comprehension with its if, except.
  expect_function(found.functions[1], {"branches", 4, 13, 1, 11, 3});
  expect_function(found.functions[2], {"method", 19, 4, 1, 1, 0});
  expect_function(found.functions[3], {"inner", 20, 2, 0, 2, 1});
}

TEST(Structure, OfPythonThatDoesNotParse) {
  PLUMB_JUDGE_OR_SKIP(judge);
  const CodeStructure found =
      structure_of(*judge, "python", "import os\n\ndef f(n):\n    return n +\n\ndef g(n):\n    return n\n");
  EXPECT_EQ(found.first_error_line, 4);
  EXPECT_DOUBLE_EQ(found.parsed, 3.0 / 8);
  EXPECT_EQ(found.declarations, 3);
  EXPECT_EQ(found.sound_declarations, 2);
  ASSERT_EQ(found.functions.size(), 1U);
  EXPECT_EQ(found.functions[0].name, "g");
}

TEST(Structure, OfCpp) {
  PLUMB_JUDGE_OR_SKIP(judge);
  if (!reads_c(*judge)) {
    GTEST_SKIP() << "plumb was built without clang's libraries";
  }
  const CodeStructure found = structure_of(*judge, "cpp", R"(#include <vector>
namespace a {
int plain(int x, int y) { return x + y; }
}  // namespace a
template <typename T>
int branches(T&& n) {
  if (n > 1 && n < 5) {
    return 1;
  } else if (n > 7 || n == 3) {
    return 2;
  }
  for (int i = 0; i < n; ++i) {
    switch (i) {
      case 1: break;
      case 2: return n > 3 ? 1 : 0;
      default: while (i < 3) { ++i; }
    }
  }
  return 0;
}
struct S {
  int method() const {
    auto lambda = [](int v) { return v ? 1 : 2; };
    return lambda(1);
  }
  int declared();
};
)");
  EXPECT_EQ(found.first_error_line, 0);
  EXPECT_EQ(found.declarations, 3);
  EXPECT_EQ(found.sound_declarations, 3);
  ASSERT_EQ(found.functions.size(), 3U);
  expect_function(found.functions[0], {"plain", 3, 1, 2, 1, 0});
  // if, &&, else if, ||, for, two cases, the conditional, while.
  expect_function(found.functions[1], {"branches", 5, 16, 1, 10, 3});
  expect_function(found.functions[2], {"method", 22, 4, 0, 2, 0});
}

TEST(Structure, OfCppThatDoesNotCompile) {
  PLUMB_JUDGE_OR_SKIP(judge);
  if (!reads_c(*judge)) {
    GTEST_SKIP() << "plumb was built without clang's libraries";
  }
  const CodeStructure found =
      structure_of(*judge, "cpp",
                   "int f(int n) {\n  return n;\n}\nint g(int n) {\n  return unknown + n;\n}\nstruct S { int x; };\n");
  EXPECT_EQ(found.first_error_line, 5);
  EXPECT_DOUBLE_EQ(found.parsed, 4.0 / 8);
  EXPECT_EQ(found.declarations, 3);
  EXPECT_EQ(found.sound_declarations, 2);
  EXPECT_EQ(structure_of(*judge, "c", "int f(void) { int class = 1; return class; }\n").first_error_line, 0);
}

TEST(Structure, HostileTextsHarmNothing) {
  PLUMB_JUDGE_OR_SKIP(judge);
  std::string deep = "x = ";
  deep += std::string(20000, '(') + "1" + std::string(20000, ')') + "\n";
  const CodeStructure found = structure_of(*judge, "python", deep.c_str());
  EXPECT_EQ(found.first_error_line, 1);
  for (const char* text : {"", "\n", "}", "#include \"/etc/passwd\"\n", "\xff\xfe"}) {
    const std::vector<SourceText> sources = {{"python", text}, {"cpp", text}, {"rust", text}};
    const auto all = code_structure(*judge, sources);
    EXPECT_FALSE(all.at(2));
  }
  for (const char* printed : {"", "{", "[]", "{\"lines\": \"x\"}", "null"}) {
    EXPECT_FALSE(read_structure(printed)) << printed;
  }
}

}  // namespace
}  // namespace plumb
