#include "core/value_types.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

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
  EXPECT_EQ(type_of("null"), "");
  EXPECT_EQ(type_of(R"([1, "a"])"), "");
  EXPECT_EQ(type_of("[true, 1]"), "");
  EXPECT_EQ(type_of("[[1], 2]"), "");
  EXPECT_EQ(type_of("[[[[[[[[[1]]]]]]]]]"), "");  // nine deep
}

TEST(ValueTypes, UnknownGivesWay) {
  EXPECT_EQ(common_type(kUnknownType, "list[str]"), "list[str]");
  EXPECT_EQ(common_type("list[?]", "list[list[?]]"), "list[list[?]]");
  EXPECT_EQ(common_type("", "int"), "");
}

}  // namespace
}  // namespace plumb
