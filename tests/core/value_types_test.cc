#include "core/value_types.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/signature.h"
#include "core/task_type.h"
#include "core/typed_value.h"

namespace plumb {
namespace {

std::string type_of(const char* json) {
  return completed_type(type_of_value(nlohmann::json::parse(json)));
}

TEST(ValueTypes, TheSmallestTypeThatHoldsAllElements) {
  EXPECT_EQ(type_of("true"), "bool");
  EXPECT_EQ(type_of("3"), "int");
  EXPECT_EQ(type_of("[3, 0.5]"), "list[float]");
  EXPECT_EQ(type_of(R"([[], ["a"]])"), "list[list[str]]");
  EXPECT_EQ(type_of("[[], []]"), "list[list[int]]");
}

TEST(ValueTypes, WhatHasNoneIsSaid) {
  EXPECT_EQ(type_of(R"([1, "a"])"), "");
  EXPECT_EQ(type_of("[true, 1]"), "");
  EXPECT_EQ(type_of("[[1], 2]"), "");
  EXPECT_EQ(type_of("[[[[[[[[[1]]]]]]]]]"), "");  // nine deep
}

TEST(ValueTypes, WhatJsonHasNoWordFor) {
  EXPECT_EQ(type_of("null"), "none");
  EXPECT_EQ(type_of("[null, 2]"), "list[optional[int]]");
  EXPECT_EQ(type_of(R"({"a": 1, "b": 0.5})"), "dict[str, float]");
  EXPECT_EQ(type_of("{}"), "dict[str, int]");
  EXPECT_EQ(type_of(R"({"__tuple__": [1, "a", []]})"), "tuple[int, str, list[int]]");
  EXPECT_EQ(type_of(R"({"__set__": [1]})"), "set[int]");
  EXPECT_EQ(type_of(R"({"__dict__": [[1, "a"], [2, null]]})"), "dict[int, optional[str]]");
  EXPECT_EQ(type_of(R"([{"__int__": "9"}, {"__bytes__": "AA=="}])"), "");
  EXPECT_EQ(type_of(R"({"a": 1, "b": "c"})"), "");
  EXPECT_EQ(common_type("optional[int]", "float"), "optional[float]");
  EXPECT_EQ(common_type("tuple[int, ?]", "tuple[?, str]"), "tuple[int, str]");
  EXPECT_EQ(common_type("tuple[int]", "tuple[int, int]"), "");
}

TEST(TaskType, IsReadAndWritten) {
  for (const char* text : {"int", "list[tuple[int, dict[str, set[float]]]]", "optional[bytes]", "tuple[any, any]"}) {
    const auto type = parse_task_type(text);
    ASSERT_TRUE(type) << text;
    EXPECT_EQ(to_string(*type), text);
  }
  EXPECT_EQ(to_string(*parse_task_type(" dict[str,int ]")), "dict[str, int]");
  for (const char* text : {"", "list", "list[]", "list[int", "list[int]]", "dict[int]", "set[int, int]", "integer",
                           "int[int]", "tuple[]", "list[int,]", "list[ints]"}) {
    EXPECT_FALSE(parse_task_type(text)) << text;
  }
  EXPECT_FALSE(parse_task_type("tuple[" + std::string(200, 'x') + "]"));
  std::string deep = "int";
  for (int i = 0; i < 9; ++i) {
    deep = "list[" + deep + "]";
  }
  EXPECT_FALSE(parse_task_type(deep));
}

TEST(Signature, BothLanguagesHaveEachTaskType) {
  const FunctionSignature function{
      "f", {{"a", "dict[str, tuple[int, float]]"}, {"b", "optional[bool]"}, {"c", "int"}}, "set[str]"};
  EXPECT_EQ(signature_text(function, Language::kPython),
            "def f(a: dict[str, tuple[int, float]], b: bool | None, c: int) -> set[str]:");
  EXPECT_EQ(signature_text(function, Language::kCpp),
            "std::set<std::string> f(const std::map<std::string, std::tuple<int, double>>& a, const "
            "std::optional<bool>& b, int c)");
  EXPECT_EQ(cpp_type("none"), "void");
  EXPECT_FALSE(is_task_type("any"));
  EXPECT_FALSE(is_task_type("list[none]"));
}

std::string int_text(const char* json) {
  const auto value = typed_value(nlohmann::json::parse(json), TaskType{"int", {}});
  return value ? value->text : "none";
}

TEST(TypedValue, IntegersOfAnySize) {
  EXPECT_EQ(int_text("255"), "ff");
  EXPECT_EQ(int_text(R"({"__int__": "-255"})"), "-ff");
  EXPECT_EQ(int_text(R"({"__int__": "000"})"), "0");
  EXPECT_EQ(int_text(R"({"__int__": "1267650600228229401496703205376"})"), "1" + std::string(25, '0'));
  EXPECT_EQ(int_text(R"({"__int__": "340282366920938463463374607431768211455"})"), std::string(32, 'f'));
  EXPECT_EQ(int_text(R"({"__int__": "-000000000000000000000000340282366920938463463374607431768211457"})"),
            "-1" + std::string(31, '0') + "1");
  EXPECT_EQ(int_text(R"({"__int__": "12x"})"), "none");
  EXPECT_EQ(int_text(R"({"__int__": ""})"), "none");
  EXPECT_EQ(int_text("1.5"), "none");
}

// Read digit by digit these took seconds of the judge's time.
// CPU seconds of `work`, the least of three.
template <typename Work>
double cpu_seconds(const Work& work) {
  double best = 1e9;
  for (int i = 0; i < 3; ++i) {
    const std::clock_t start = std::clock();
    work();
    best = std::min(best, static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC);
  }
  return best;
}

// The schoolbook way, a digit at a time: so many steps are a measure of the machine and of a sanitizer's price.
std::vector<std::uint32_t> limbs_digit_by_digit(const std::string& digits) {
  std::vector<std::uint32_t> limbs;
  for (const char digit : digits) {
    std::uint64_t carry = static_cast<std::uint64_t>(digit - '0');
    for (std::uint32_t& limb : limbs) {
      carry += std::uint64_t{limb} * 10;
      limb = static_cast<std::uint32_t>(carry);
      carry >>= 32U;
    }
    if (carry != 0) {
      limbs.push_back(static_cast<std::uint32_t>(carry));
    }
  }
  return limbs;
}

TEST(TypedValue, LongIntegersAreReadInNoTime) {
  const std::string digits = "1" + std::string(19000, '0');
  const nlohmann::json list(20, {{"__int__", digits}});
  const TaskType type = *parse_task_type("list[int]");
  const auto value = typed_value(list, type);
  ASSERT_TRUE(value);
  // 10^19000 is 5^19000 * 2^19000: 4,750 zeros behind an odd digit.
  const std::string& text = value->items.back().text;
  EXPECT_EQ(text.size(), 15780U);  // floor(19000 * log2(10)) = 63116 bits behind the first
  EXPECT_EQ(text.find_last_not_of('0'), text.size() - 4751);

  std::size_t limbs = 0;
  const double one_by_schoolbook = cpu_seconds([&] { limbs = limbs_digit_by_digit(digits).size(); });
  const double twenty = cpu_seconds([&] { typed_value(list, type); });
  EXPECT_EQ(limbs, (text.size() + 7) / 8);
  EXPECT_LT(twenty, 3 * one_by_schoolbook);  // half of it; digit by digit they would take 20 times as long
}

TEST(TypedValue, JsonIsReadWithoutRounding) {
  EXPECT_EQ(parse_exact_json("[1, 18446744073709551615, -5, 0.5, 1e30]"),
            nlohmann::json::parse("[1, 18446744073709551615, -5, 0.5, 1e30]"));
  EXPECT_EQ(parse_exact_json(R"({"a": [36893488147419103232, {"b": -36893488147419103232}], "a": 1, "c": {}})"),
            nlohmann::json::parse(R"({"a": 1, "c": {}})"));
  EXPECT_EQ(parse_exact_json("[[36893488147419103232]]")[0][0], (nlohmann::json{{"__int__", "36893488147419103232"}}));
  for (const char* text : {"", "[", R"({"a"})", "nan", "[1] 2"}) {
    EXPECT_TRUE(parse_exact_json(text).is_discarded()) << text;
  }
  // More digits than a double has powers of ten.
  const std::string digits = "12" + std::string(5000, '7');
  const std::string text = R"({"-": [-)" + digits + ", " + digits + R"(], "\"9\\": ")" + digits + "\"}";
  const nlohmann::json huge = parse_exact_json(text);
  ASSERT_FALSE(huge.is_discarded());
  EXPECT_EQ(huge["-"], (nlohmann::json{{{"__int__", "-" + digits}}, {{"__int__", digits}}}));
  EXPECT_EQ(huge["\"9\\"], digits);
  for (const std::string& wrong :
       {"[0" + digits + "]", "[" + digits + "e1]", "[" + digits + ".5]", "[--" + digits + "]", "{" + digits + ": 1}",
        "[true" + digits + "]", digits + " " + digits, "[\"" + digits, "[+" + digits + "]"}) {
    EXPECT_TRUE(parse_exact_json(wrong).is_discarded()) << wrong.substr(0, 20);
  }
  EXPECT_TRUE(parse_exact_json(std::string(100000, '[')).is_discarded());
}

TEST(ValueTypes, UnknownGivesWay) {
  EXPECT_EQ(common_type(kUnknownType, "list[str]"), "list[str]");
  EXPECT_EQ(common_type("list[?]", "list[list[?]]"), "list[list[?]]");
  EXPECT_EQ(common_type("", "int"), "");
}

}  // namespace
}  // namespace plumb
