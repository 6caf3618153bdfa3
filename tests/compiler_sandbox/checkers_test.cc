// Checkers, and language files that are wrong.

#include "compiler_sandbox/checkers.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "compiler_sandbox/languages.h"

namespace plumb {
namespace {

constexpr Verdict kAC = Verdict::kAC;
constexpr Verdict kWA = Verdict::kWA;
constexpr Verdict kPE = Verdict::kPE;

Verdict check(const std::string& kind, std::string_view output, std::string_view expected) {
  Checker checker;
  checker.kind = kind;
  return compare_output(checker, output, expected);
}

TEST(Checkers, CompareAsTheySay) {
  struct Case {
    const char* kind;
    std::string_view output;
    std::string_view expected;
    Verdict verdict;
  };
  const Case cases[] = {
      {"exact", "1 2\n", "1 2", kAC},
      {"exact", "1  2\n", "1 2\n", kPE},
      {"exact", "1 2 3", "1 2", kWA},
      {"exact", std::string_view("5\0", 2), "5", kWA},
      {"tokens", " 1\t2\r\n", "1 2\n", kAC},
      {"tokens", "1 2", "12", kWA},
      {"tokens", "1", "1 2", kWA},
      {"tokens", "1 2 3", "1 2", kWA},
      {"tokens", "", "", kAC},
      {"tokens", "1.0", "1", kWA},
      {"float", "1.0", "1", kAC},
      {"float", "0.33333333333", "0.333333333333", kAC},
      {"float", "0.3333", "0.333333333333", kWA},
      {"float", "1000000000000.1", "1e12", kAC},
      {"float", "nan", "1", kWA},
      {"float", "inf", "1e308", kWA},
      {"float", "-inf", "inf", kWA},
      {"float", "yes 1e0", "yes +1", kAC},
      {"float", "1x", "1", kWA},
      {"float", "0x10", "16", kWA},
      {"unordered", "b 2\na  1\n\n", "a 1\nb 2\n", kAC},
      {"unordered", "a\na\nb", "a\nb\nb", kWA},
      {"unordered", "1 2", "2 1", kWA},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(check(one.kind, one.output, one.expected), one.verdict)
        << one.kind << " \"" << one.output << "\" against \"" << one.expected << "\"";
  }
}

TEST(Checkers, AreValidated) {
  Checker checker;
  EXPECT_TRUE(validate(checker));
  checker.absolute = -1;
  EXPECT_FALSE(validate(checker));
  checker = {};
  checker.kind = "program";
  EXPECT_FALSE(validate(checker));
}

TEST(LanguageFiles, SayWhatIsWrongWithThem) {
  const std::string folder = testing::TempDir() + "plumb_languages_" + std::to_string(getpid());
  std::filesystem::create_directories(folder);
  const std::string good = "name = \"x\"\nsource = \"x\"\nneeds = [\"/nowhere/x\"]\nrun = [\"x\", \"{memory_mib}m\"]\n";
  const auto read = [&](const std::string& text) {
    std::ofstream(folder + "/x.toml") << text;
    const auto languages = read_languages(folder);
    return languages ? "missing " + languages->at("x").missing : languages.error().message;
  };
  EXPECT_EQ(read(good), "missing /nowhere/x");
  EXPECT_NE(read(good + "color = 1\n").find("there is no key color"), std::string::npos);
  EXPECT_NE(read(good + "extra_processes = \"1\"\n").find("extra_processes has another type"), std::string::npos);
  EXPECT_NE(read("name = \"x\"\n").find("the key source lacks"), std::string::npos);
  EXPECT_NE(read("name = ").find("is no TOML"), std::string::npos);
  EXPECT_NE(read(good + "build = [1]\n").find("build must be a list of texts"), std::string::npos);
  std::ofstream(folder + "/x.toml") << good;
  std::ofstream(folder + "/y.toml") << good;
  EXPECT_NE(read_languages(folder).error().message.find("has a file already"), std::string::npos);
  EXPECT_FALSE(read_languages(folder + "/nowhere"));
  EXPECT_EQ(filled_in({"a", "-Xmx{memory_mib}m"}, 64)[1], "-Xmx64m");
  std::filesystem::remove_all(folder);
}

TEST(Checkers, ExitCodesAreTestlibs) {
  const std::pair<int, Verdict> codes[] = {{0, Verdict::kAC},  {1, Verdict::kWA},  {2, Verdict::kPE},
                                           {4, Verdict::kPE},  {8, Verdict::kPE},  {7, Verdict::kWA},
                                           {50, Verdict::kWA}, {100, Verdict::kWA}};
  for (const auto& [code, verdict] : codes) {
    EXPECT_EQ(verdict_of_checker(code), verdict) << code;
  }
  for (const int code : {-1, 3, 5, 6, 9, 49, 126, 127, 139}) {
    EXPECT_FALSE(verdict_of_checker(code).has_value()) << code;
  }
}

}  // namespace
}  // namespace plumb
