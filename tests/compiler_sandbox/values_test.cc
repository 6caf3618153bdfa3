// How values are written, and when two of them are equal.

#include "compiler_sandbox/values.h"

#include <gtest/gtest.h>

#include <cmath>
#include <ctime>
#include <limits>

#include "compiler_sandbox/drivers.h"

namespace plumb {
namespace {

using nlohmann::json;

std::string encoded(const std::string& args, const std::vector<std::string>& types, Language language) {
  FunctionSignature function{"f", {}, "int"};
  for (const std::string& type : types) {
    function.parameters.push_back({"p" + std::to_string(function.parameters.size()), type});
  }
  const auto text = encode_arguments(json::parse(args), function, language);
  return text ? *text : "refused: " + text.error().message;
}

TEST(Values, ArgumentsAreWrittenByType) {
  EXPECT_EQ(encoded(R"([1, -31, true, "h\u00e9", [1, 2], 0.5])", {"int", "int", "bool", "str", "list[int]", "float"},
                    Language::kPython),
            "i1;i-1f;ts3:h\xC3\xA9l2:i1;i2;d0x1p-1;");
  EXPECT_EQ(
      encoded(R"([[["a"], []], 3, "nan", "-inf"])", {"list[list[str]]", "float", "float", "float"}, Language::kCpp),
      "l2:l1:s1:al0:d0x1.8p+1;dnan;d-inf;");
  EXPECT_EQ(encoded("[-9223372036854775808]", {"int"}, Language::kPython), "i-8000000000000000;");
}

TEST(Values, ArgumentsThatDoNotFitAreRefused) {
  EXPECT_EQ(encoded("[true]", {"int"}, Language::kPython), "refused: argument p0 of f does not fit the type int");
  EXPECT_EQ(encoded("[1.0]", {"int"}, Language::kPython), "refused: argument p0 of f does not fit the type int");
  EXPECT_EQ(encoded("[[1, \"a\"]]", {"list[int]"}, Language::kPython),
            "refused: argument p0 of f does not fit the type list[int]");
  EXPECT_EQ(encoded("[1]", {"int", "int"}, Language::kPython), "refused: the call of f needs an array of 2 arguments");
  // C++'s int has 32 bits, Python's any number.
  EXPECT_EQ(encoded("[2147483648]", {"int"}, Language::kCpp), "refused: argument p0 of f does not fit the type int");
  EXPECT_EQ(encoded("[2147483648]", {"int"}, Language::kPython), "i80000000;");
  EXPECT_EQ(encoded("[-2147483648]", {"int"}, Language::kCpp), "i-80000000;");
}

struct Case {
  const char* encoded;
  const char* expected;
  const char* type;
  Comparison comparison;
};

TEST(Values, EqualMeansEqualInTypeToo) {
  const Case cases[] = {
      {"i5;", "5", "int", Comparison::kEqual},
      {"t", "5", "int", Comparison::kDifferent},
      {"t", "1", "int", Comparison::kDifferent},
      {"i1;", "true", "bool", Comparison::kDifferent},
      {"i0;", "false", "bool", Comparison::kDifferent},
      {"f", "false", "bool", Comparison::kEqual},
      {"i1;", "1.0", "float", Comparison::kDifferent},
      {"d0x1p+0;", "1", "int", Comparison::kDifferent},
      {"d0x1p+0;", "1", "float", Comparison::kEqual},
      {"i1;", "1", "float", Comparison::kDifferent},
      {"n", "null", "int", Comparison::kEqual},
      {"n", "0", "int", Comparison::kDifferent},
      {"i-80000000;", "-2147483648", "int", Comparison::kEqual},
      {"i-8000000000000000;", "-9223372036854775808", "int", Comparison::kEqual},
      {"iffffffffffffffff;", "18446744073709551615", "int", Comparison::kEqual},
      {"i10000000000000001;", "1", "int", Comparison::kDifferent},  // no wrapping round at 64 bits
      {"s5:hello", "\"hello\"", "str", Comparison::kEqual},
      {"s5:Hello", "\"hello\"", "str", Comparison::kDifferent},
      {"s1:5", "5", "int", Comparison::kDifferent},
      {"s3:a\tb", "\"a\\tb\"", "str", Comparison::kEqual},
      {"l2:i1;i2;", "[1, 2]", "list[int]", Comparison::kEqual},
      {"u2:i1;i2;", "[1, 2]", "list[int]", Comparison::kDifferent},
      {"l2:i1;i2;", "[2, 1]", "list[int]", Comparison::kDifferent},
      {"l1:i1;", "[1, 2]", "list[int]", Comparison::kDifferent},
      {"l2:l1:s1:al0:", "[[\"a\"], []]", "list[list[str]]", Comparison::kEqual},
      {"l1:d0x1p+0;", "[1]", "list[float]", Comparison::kEqual},
      {"l0:", "[]", "list[int]", Comparison::kEqual},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(compare_value(one.encoded, json::parse(one.expected), one.type), one.comparison)
        << one.encoded << " against " << one.expected << " as " << one.type;
  }
}

TEST(Values, StringsAreComparedByteByByte) {
  EXPECT_EQ(compare_value(std::string_view("s3:a\0b", 6), json(std::string("a\0b", 3)), "str"), Comparison::kEqual);
  EXPECT_EQ(compare_value(std::string_view("s3:a\0c", 6), json(std::string("a\0b", 3)), "str"), Comparison::kDifferent);
  EXPECT_EQ(compare_value("s2:\xFF\xFE", json("??"), "str"), Comparison::kDifferent);
}

TEST(Values, FloatsAreEqualWithinTheTolerance) {
  const auto compare = [](const char* text, const json& expected) { return compare_value(text, expected, "float"); };
  EXPECT_EQ(compare("d1.0000000009;", 1.0), Comparison::kEqual);
  EXPECT_EQ(compare("d1.0000000011;", 1.0), Comparison::kDifferent);
  EXPECT_EQ(compare("d9.9e-13;", 0.0), Comparison::kEqual);
  EXPECT_EQ(compare("d1.1e-12;", 0.0), Comparison::kDifferent);
  EXPECT_EQ(compare("d-0x0p+0;", 0.0), Comparison::kEqual);
  EXPECT_EQ(compare("dnan;", "nan"), Comparison::kEqual);
  EXPECT_EQ(compare("d0x0p+0;", "nan"), Comparison::kDifferent);
  EXPECT_EQ(compare("dnan;", 1.0), Comparison::kDifferent);
  EXPECT_EQ(compare("dinf;", "inf"), Comparison::kEqual);
  EXPECT_EQ(compare("d-inf;", "inf"), Comparison::kDifferent);
  EXPECT_EQ(compare("dinf;", 1e308), Comparison::kDifferent);
  EXPECT_EQ(compare("d1e308;", "inf"), Comparison::kDifferent);
}

// A float that was added up in another order is as close in a set, or as a key, as anywhere else.
TEST(Values, FloatsInSetsAndKeysHaveATolerance) {
  const auto set = [](const std::vector<double>& items) {
    TypedValue value;
    value.kind = ValueKind::kSet;
    for (const double item : items) {
      value.items.push_back({ValueKind::kFloat, false, item, "", {}});
    }
    std::string text;
    encode_value(value, text);
    return text;
  };
  const double sum = 0.1 + 0.2;  // not 0.3
  const auto compare = [](const std::string& text, const char* expected, const char* type) {
    return compare_value(text, json::parse(expected), type);
  };
  EXPECT_EQ(compare(set({sum, 5}), "[5, 0.3]", "set[float]"), Comparison::kEqual);
  EXPECT_EQ(compare(set({sum, 5}), "[5, 0.31]", "set[float]"), Comparison::kDifferent);
  EXPECT_EQ(compare(set({sum, 0.3}), "[0.3, 5]", "set[float]"), Comparison::kDifferent);
  EXPECT_EQ(compare(set({sum}), "[0.3, 5]", "set[float]"), Comparison::kDifferent);
  EXPECT_EQ(compare(set({NAN, sum, INFINITY}), R"(["inf", "nan", 0.3])", "set[float]"), Comparison::kEqual);
  EXPECT_EQ(compare("e1:i5;", "[0.3]", "set[float]"), Comparison::kDifferent);
  EXPECT_EQ(compare("e1:d0.3", "[0.3]", "set[float]"), Comparison::kMalformed);
  // Each is a neighbour of the next: only one way pairs all off.
  EXPECT_EQ(compare(set({1.0000000008, 1.0000000016}), "[1, 1.0000000008]", "set[float]"), Comparison::kDifferent);
  EXPECT_EQ(compare(set({1.0000000004, 1.0000000012}), "[1, 1.0000000008]", "set[float]"), Comparison::kEqual);
  // Within tuples, and as keys.
  const std::string third = "d0x1.3333333333334p-2;";  // 0.1 + 0.2
  EXPECT_EQ(
      compare("e2:u2:" + third + "s1:bu2:" + third + "s1:a", R"([[0.3, "a"], [0.3, "b"]])", "set[tuple[float, str]]"),
      Comparison::kEqual);
  EXPECT_EQ(
      compare("e2:u2:" + third + "s1:bu2:" + third + "s1:b", R"([[0.3, "a"], [0.3, "b"]])", "set[tuple[float, str]]"),
      Comparison::kDifferent);
  EXPECT_EQ(compare("m1:" + third + "i1;", "[[0.3, 1]]", "dict[float, int]"), Comparison::kEqual);
  EXPECT_EQ(compare("m1:" + third + "i2;", "[[0.3, 1]]", "dict[float, int]"), Comparison::kDifferent);
  EXPECT_EQ(compare("m2:" + third + third + "i1;i1;", "[[0.3, 0.3], [1, 1]]", "dict[float, float]"),
            Comparison::kDifferent);
  EXPECT_EQ(compare("m1:i1;" + third, "{\"1\": 0.3}", "dict[int, float]"), Comparison::kEqual);
  // Thousands, each a bit off.
  std::vector<double> off;
  json exact = json::array();
  for (int i = 20000; i > 0; --i) {
    exact.push_back(i / 7.0);
    off.push_back(i / 7.0 * (1 + 1e-12));
  }
  EXPECT_EQ(compare_value(set(off), exact, "set[float]"), Comparison::kEqual);
}

std::string encoded_as(const json& value, const char* type) {
  std::string text;
  encode_value(*typed_value(value, *parse_task_type(type)), text);
  return text;
}

// Values, and what they cost to compare in seconds of this process.
Comparison compared(const json& got, const json& expected, const char* type, double& seconds) {
  const std::string text = encoded_as(got, type);
  const std::clock_t start = std::clock();
  const Comparison comparison = compare_value(text, expected, type);
  seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  return comparison;
}

TEST(Values, ThousandsOfFloatsWithinTuplesArePairedOff) {
  json exact = json::array();
  json off = json::array();
  json keys = json::array();
  json off_keys = json::array();
  json pairs = json::array();
  json off_pairs = json::array();
  for (int i = 0; i < 20000; ++i) {
    const double x = i % 100;
    const double y = i / 100;
    exact.push_back({x, y});
    off.push_back({x * (1 + 1e-12), y * (1 - 1e-12)});
    keys.push_back({{x, y}, i});
    off_keys.push_back({{x * (1 + 1e-12), y}, i});
    pairs.push_back({-i / 7.0, i / 7.0});
    off_pairs.push_back({i / 7.0 * (1 - 1e-12), -i / 7.0});
  }
  double seconds = 0;
  EXPECT_EQ(compared(off, exact, "set[tuple[float, float]]", seconds), Comparison::kEqual);
  EXPECT_LT(seconds, 2);
  EXPECT_EQ(compared(off_keys, keys, "dict[tuple[float, float], int]", seconds), Comparison::kEqual);
  EXPECT_LT(seconds, 2);
  EXPECT_EQ(compared(off_pairs, pairs, "set[set[float]]", seconds), Comparison::kEqual);
  EXPECT_LT(seconds, 2);
  off[777][0] = 777.1;
  off_keys[777][1] = -1;
  EXPECT_EQ(compared(off, exact, "set[tuple[float, float]]", seconds), Comparison::kDifferent);
  EXPECT_EQ(compared(off_keys, keys, "dict[tuple[float, float], int]", seconds), Comparison::kDifferent);
  // One has to make room for another: the first is close to both, and takes the place of the other's only neighbour.
  EXPECT_EQ(compared({{1.0000000004}, {0.9999999996}}, {{1.0}, {1.0000000008}}, "set[tuple[float]]", seconds),
            Comparison::kEqual);
  EXPECT_EQ(compared({{1.0000000004}, {0.9999999990}}, {{1.0000000002}, {1.0000000008}}, "set[tuple[float]]", seconds),
            Comparison::kDifferent);
  EXPECT_EQ(compared({{"nan", 1}, {"inf", 1}, {1e308, 1}}, {{1e308 * (1 + 1e-12), 1}, {"inf", 1}, {"nan", 1}},
                     "set[tuple[float, float]]", seconds),
            Comparison::kEqual);
  EXPECT_EQ(
      compared(json::parse(R"([["inf", 2]])"), json::parse(R"([["-inf", 2]])"), "set[tuple[float, float]]", seconds),
      Comparison::kDifferent);
}

json nested_sets(int depth, double factor, int& next) {
  json set = json::array();
  for (int i = 0; i < 4; ++i) {
    set.push_back(depth == 1 ? json(++next * factor) : nested_sets(depth - 1, factor, next));
  }
  return set;
}

// Whatever the values are, the judge is not kept busy.
TEST(Values, ComparingSetsHasABound) {
  const char* six = "set[set[set[set[set[set[float]]]]]]";
  double seconds = 0;
  int next = 0;
  const json exact = nested_sets(6, 1, next);
  next = 0;
  EXPECT_EQ(compared(nested_sets(6, 1 + 1e-12, next), exact, six, seconds), Comparison::kEqual);
  EXPECT_LT(seconds, 2);
  next = 0;
  json wrong = nested_sets(6, 1 + 1e-12, next);
  wrong[3][3][3][3][3][3] = 5000;
  EXPECT_EQ(compared(wrong, exact, six, seconds), Comparison::kDifferent);
  EXPECT_LT(seconds, 2);
  // Each close to each, in tuples and in sets within sets.
  json near = json::array();
  json nearly = json::array();
  json deep = json::array();
  json deeply = json::array();
  for (int i = 0; i < 20000; ++i) {
    near.push_back({1 + i * 1e-14, 1});
    nearly.push_back({1 + i * 1e-14 + 5e-15, 1});
    deep.push_back({{{1 + i * 1e-14, 2.0}, {3.0}}, {{4.0, 5.0}}});
    deeply.push_back({{{1 + i * 1e-14 + 5e-15, 2.0}, {3.0}}, {{4.0, 5.0}}});
  }
  compared(nearly, near, "set[tuple[float, float]]", seconds);
  EXPECT_LT(seconds, 5);
  compared(deeply, deep, "set[set[set[set[float]]]]", seconds);
  EXPECT_LT(seconds, 5);
  // Huge floats that cancel each other out may be anything, as far as their sum tells.
  json huge = json::array();
  for (int i = 0; i < 20000; ++i) {
    huge.push_back({1e300 + i * 1e290, -1e300});
  }
  EXPECT_EQ(compared(huge, near, "set[tuple[float, float]]", seconds), Comparison::kDifferent);
  EXPECT_LT(seconds, 2);
}

// A word for a special float is that float only where a float is wanted; it is no loophole for texts.
TEST(Values, TheWordNanIsATextWhereATextIsExpected) {
  EXPECT_EQ(compare_value("s3:nan", json("nan"), "str"), Comparison::kEqual);
  EXPECT_EQ(compare_value("dnan;", json("nan"), "str"), Comparison::kDifferent);
  EXPECT_EQ(compare_value("s3:nan", json("nan"), "float"), Comparison::kDifferent);
}

TEST(Values, ArgumentsThatJsonHasNoWordFor) {
  EXPECT_EQ(
      encoded(R"([[1, "a"], [3, 1, 3], {"b": 1, "a": 2}, null, {"__bytes__": "AAE="}, null, 4])",
              {"tuple[int, str]", "set[int]", "dict[str, int]", "optional[int]", "bytes", "none", "optional[int]"},
              Language::kPython),
      std::string("u2:i1;s1:ae2:i1;i3;m2:s1:ai2;s1:bi1;nb2:\0\1ni4;", 46));
  EXPECT_EQ(encoded(R"([{"2": "b", "-1": "a"}, [[3, 4]], {"__dict__": [[5, 6]]}])",
                    {"dict[int, str]", "dict[int, int]", "dict[int, int]"}, Language::kCpp),
            "m2:i-1;s1:ai2;s1:bm1:i3;i4;m1:i5;i6;");
  EXPECT_EQ(encoded(R"([[1, [2.5, null, {"__tuple__": [true]}], {"k": {"__set__": []}}]])", {"any"}, Language::kPython),
            "l3:i1;l3:d0x1.4p+1;nu1:tm1:s1:ke0:");
  EXPECT_EQ(encoded("[[1]]", {"tuple[int, int]"}, Language::kPython),
            "refused: argument p0 of f does not fit the type tuple[int, int]");
  EXPECT_EQ(encoded(R"([{"x": 1}])", {"dict[int, int]"}, Language::kPython),
            "refused: argument p0 of f does not fit the type dict[int, int]");
}

TEST(Values, ContainersAreEqualByKindAndContent) {
  const Case cases[] = {
      {"u2:i1;s1:a", R"([1, "a"])", "tuple[int, str]", Comparison::kEqual},
      {"l2:i1;s1:a", R"([1, "a"])", "tuple[int, str]", Comparison::kDifferent},
      {"u2:i1;s1:a", R"({"__tuple__": [1, "a"]})", "any", Comparison::kEqual},
      {"u2:i1;s1:a", R"([1, "a"])", "any", Comparison::kDifferent},
      {"e2:i3;i1;", "[1, 3, 3]", "set[int]", Comparison::kEqual},
      {"e2:i3;i3;", "[1, 3]", "set[int]", Comparison::kDifferent},
      {"e2:i3;i4;", "[1, 3]", "set[int]", Comparison::kDifferent},
      {"l2:i1;i3;", "[1, 3]", "set[int]", Comparison::kDifferent},
      {"m2:s1:bi1;s1:ai2;", R"({"a": 2, "b": 1})", "dict[str, int]", Comparison::kEqual},
      {"m2:s1:bi1;s1:bi1;", R"({"a": 2, "b": 1})", "dict[str, int]", Comparison::kDifferent},
      {"m1:s1:ad0x1.0000000000001p+0;", R"({"a": 1.0})", "any", Comparison::kEqual},
      {"m1:s1:at", R"({"a": 1})", "any", Comparison::kDifferent},
      {"m1:i1;s1:a", R"({"1": "a"})", "dict[int, str]", Comparison::kEqual},
      {"m1:i1;s1:a", R"({"1": "a"})", "any", Comparison::kDifferent},
      {"n", "null", "optional[int]", Comparison::kEqual},
      {"i0;", "null", "optional[int]", Comparison::kDifferent},
      {"b2:ab", "\"ab\"", "bytes", Comparison::kEqual},
      {"s2:ab", "\"ab\"", "bytes", Comparison::kDifferent},
      {"i10000000000000000000000000;", R"({"__int__": "1267650600228229401496703205376"})", "int", Comparison::kEqual},
      {"i10000000000000000000000000;", R"({"__int__": "79228162514264337593543950336"})", "any",
       Comparison::kDifferent},
      {"i1000000000000000000000000;", R"({"__int__": "79228162514264337593543950336"})", "any", Comparison::kEqual},
      {"dnan;", R"({"__float__": "nan"})", "any", Comparison::kEqual},
      {"s3:nan", R"({"__float__": "nan"})", "any", Comparison::kDifferent},
      // C++'s own types: what JSON can say of them counts.
      {"u2:i1;i2;", "[1, 2]", "c++:std::pair<int, int>", Comparison::kEqual},
      {"e2:i2;i1;", "[1, 2]", "c++:std::set<int>", Comparison::kEqual},
      {"l2:i2;i1;", "[1, 2]", "auto", Comparison::kDifferent},
      {"e2:u2:i3;i4;u2:i1;i2;", "[[1, 2], [3, 4]]", "c++:std::set<std::pair<int, int>>", Comparison::kEqual},
      {"e2:u2:i3;i4;u2:i2;i1;", "[[1, 2], [3, 4]]", "c++:std::set<std::pair<int, int>>", Comparison::kDifferent},
      {"e2:b1:ab1:b", R"(["b", "a"])", "auto", Comparison::kEqual},
      {"e2:b1:ae1:i62;", "[[97], [98]]", "auto", Comparison::kEqual},
      {"e2:u1:g0x1.99999ap-4;u1:g0x1p+1;", "[[2.0], [0.1]]", "auto", Comparison::kEqual},
      {"e2:u1:d0x1.99999ap-4;u1:g0x1p+1;", "[[2.0], [0.1]]", "auto", Comparison::kDifferent},
      {"g0x1.99999ap-4;", "0.1", "auto", Comparison::kEqual},
      {"d0x1.99999ap-4;", "0.1", "auto", Comparison::kDifferent},
      {"t", "1", "auto", Comparison::kDifferent},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(compare_value(one.encoded, json::parse(one.expected), one.type), one.comparison)
        << one.encoded << " against " << one.expected << " as " << one.type;
  }
  EXPECT_TRUE(is_well_formed("i1;l1:n", 2));
  EXPECT_FALSE(is_well_formed("i1;l1:n", 1));
  EXPECT_FALSE(is_well_formed("i1;l1:", 2));
}

TEST(Values, OnlyTheStandardLibrarysTypesComeFromCandidates) {
  for (const char* type : {"c++:int", "c++:const std::map<std::string, std::vector<long long>>&", "c++:const char*",
                           "c++:std::array<unsigned long, 12>"}) {
    EXPECT_TRUE(is_own_cpp_type(type)) << type;
  }
  for (const char* type :
       {"int", "c++:Evil", "c++:int; int x", "c++:std::vector<decltype(0)>", "c++:int)", "c++:std::vector<\nint>",
        "c++:asm", "c++:std::system", "c++:\"x\"", "c++:std::array<int, 1000000000>",
        "c++:std::array<std::array<int, 100>, 100>", "c++:std::array<int, 99999999999999999999999>",
        "c++:std::set<std::set<std::set<std::set<std::set<std::set<int>>>>>>"}) {
    EXPECT_FALSE(is_own_cpp_type(type)) << type;
  }
  EXPECT_FALSE(is_own_cpp_type("c++:" + std::string(1000, '<')));
}

TEST(Values, WhatIsNotInTheFormatIsMalformed) {
  std::string nested;
  for (int i = 0; i < 100; ++i) {
    nested += "l1:";
  }
  for (const std::string& text : {std::string(),
                                  std::string("x"),
                                  std::string("i;"),
                                  std::string("i5"),
                                  std::string("i5g;"),
                                  std::string("i5;i6;"),
                                  std::string("s5:abc"),
                                  std::string("s:"),
                                  std::string("s-1:a"),
                                  std::string("l2:i1;"),
                                  std::string("l99999999999999999999:"),
                                  std::string("l18446744073709551615:"),
                                  std::string("d;"),
                                  std::string("d1.0x;"),
                                  "d" + std::string(100, '1') + ";",
                                  nested + "i1;",
                                  std::string("m1:i1;"),
                                  std::string("e2:i1;"),
                                  std::string("b3:ab"),
                                  std::string("m18446744073709551615:"),
                                  std::string("g;")}) {
    EXPECT_EQ(compare_value(text, json(5), "int"), Comparison::kMalformed) << text;
  }
}

}  // namespace
}  // namespace plumb
